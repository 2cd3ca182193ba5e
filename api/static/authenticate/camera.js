// Codes from the camera or from a picture: by the browser where it can read them, else by our own
// reader.

import { readCode } from "./qr.js";

const LONGEST = 1600; // pixels of the longer side that are looked at

/** The text of the code in a picture; null when there is none. */
export async function codeIn(picture) {
  if (!picture) return null;
  const known = await detected(picture);
  if (known !== null) return known;
  for (const longest of [LONGEST, LONGEST / 2]) {
    const text = readCode(pixelsOf(picture, longest));
    if (text !== null) return text;
  }
  return null;
}

async function detected(picture) {
  try {
    const formats = (await globalThis.BarcodeDetector?.getSupportedFormats()) ?? [];
    if (!formats.includes("qr_code")) return null;
    const [found] = await new BarcodeDetector({ formats: ["qr_code"] }).detect(picture);
    return found?.rawValue ?? null;
  } catch {
    return null;
  }
}

function pixelsOf(picture, longest) {
  const [width, height] = [picture.videoWidth || picture.width, picture.videoHeight || picture.height];
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  drawing.fillStyle = "#fff"; // a picture may be transparent: paper is white
  drawing.fillRect(0, 0, canvas.width, canvas.height);
  drawing.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return drawing.getImageData(0, 0, canvas.width, canvas.height);
}

/** Look through the camera until a code is found or it is stopped; null then. */
export async function startCamera(video) {
  const wanted = { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } };
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted });
  await video.play();
  while (video.srcObject) {
    const text = video.videoWidth ? await codeIn(video) : null;
    if (text !== null) return text;
    await new Promise((done) => setTimeout(done, 150));
  }
  return null;
}

/** Switch the camera off. */
export function stopCamera(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}
