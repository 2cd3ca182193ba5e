// A file of readings dropped on the grid goes the way of the form: what would be taken is shown first.

export function dropFiles(form, words, talk) {
  const door = document.querySelector("form[data-import]");
  if (!door) return;
  const input = door.querySelector("input[type=file]");
  const carries = (event) => [...event.dataTransfer?.types ?? []].includes("Files");
  let depth = 0;

  form.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    depth += 1;
    form.classList.add("dropping");
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
    const { files } = event.dataTransfer;
    if (files.length !== 1 || !/\.(csv|xlsx)$/i.test(files[0].name)) { talk.say(words.oneFile, "error"); return; }
    input.files = files;
    door.requestSubmit();
  });

  function done() { depth = 0; form.classList.remove("dropping"); }
}
