// A table dropped on a form goes into its field of files and is sent at once, if nothing else is missing.

import { takeDrops } from "./dropping.js";

for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  input.addEventListener("change", () => input.setCustomValidity(""));
  takeDrops(form, (files) => {
    input.setCustomValidity(files.length === 1 ? "" : form.dataset.oneFile);
    if (files.length === 1) input.files = files;
    form.requestSubmit();
  });
}
