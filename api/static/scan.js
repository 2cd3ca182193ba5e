// A label before the camera, or on a photo: its text goes the way of the form.

import { codeIn, startCamera, stopCamera } from "./authenticate/camera.js";

const room = document.querySelector("[data-scan]");
const form = document.querySelector("[data-typed]");
const find = (name) => room.querySelector(`[data-${name}]`);
const tell = (words) => { find("told").textContent = words; };
const words = room.dataset;

find("start").hidden = !navigator.mediaDevices?.getUserMedia;
find("start").addEventListener("click", look);
find("stop").addEventListener("click", () => rest(""));
find("photo").addEventListener("change", async ({ target }) => {
  const [photo] = target.files;
  if (!photo) return;
  const picture = await createImageBitmap(photo).catch(() => null);
  take(await codeIn(picture), words.saidNone);
  target.value = "";
});
addEventListener("pagehide", () => stopCamera(find("video")));

async function look() {
  find("finder").hidden = find("stop").hidden = false;
  find("start").hidden = true;
  tell(words.saidHold);
  try {
    const text = await startCamera(find("video"));
    if (text === null) return;
    rest("");
    take(text, "");
  } catch {
    rest(words.saidCamera);
  }
}

function rest(said) {
  stopCamera(find("video"));
  find("finder").hidden = find("stop").hidden = true;
  find("start").hidden = false;
  tell(said);
}

function take(text, otherwise) {
  if (text === null) { tell(otherwise); return; }
  form.elements.code.value = text;
  form.requestSubmit();
}
