// A file of readings dropped on the grid goes the way of the form: what would be taken is shown first.

import { takeDrops } from "../dropping.js";

export function dropFiles(form, words, talk) {
  const door = document.querySelector("form[data-import]");
  if (!door) return;
  takeDrops(form, (files) => {
    if (files.length !== 1 || !/\.(csv|xlsx)$/i.test(files[0].name)) { talk.say(words.oneFile, "error"); return; }
    door.querySelector("input[type=file]").files = files;
    door.requestSubmit();
  });
}
