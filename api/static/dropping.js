// Files dropped anywhere on a place: it shows that it takes them, and hands them on.

export function takeDrops(place, take) {
  const carries = (event) => [...event.dataTransfer?.types ?? []].includes("Files");
  let depth = 0;

  place.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    depth += 1;
    place.classList.add("dropping");
  });
  place.addEventListener("dragleave", (event) => {
    if (!carries(event)) return;
    depth -= 1;
    if (depth <= 0) done();
  });
  place.addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
  place.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    done();
    take(event.dataTransfer.files);
  });

  function done() { depth = 0; place.classList.remove("dropping"); }
}
