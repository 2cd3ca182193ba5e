// A file dropped anywhere on a form goes into its field of files and is sent at once, if nothing else is missing.

for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  const carries = (event) => [...event.dataTransfer?.types ?? []].includes("Files");
  let depth = 0;
  const done = () => { depth = 0; form.classList.remove("over"); };

  form.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    depth += 1;
    form.classList.add("over");
  });
  form.addEventListener("dragleave", (event) => {
    if (!carries(event)) return;
    depth -= 1;
    if (depth <= 0) done();
  });
  form.addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
  form.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    done();
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}
