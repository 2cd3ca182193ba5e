// What is chosen, dropped, scanned or typed is examined here and leaves this device only by the button
// that says so. What examines and what reads pictures is loaded with the first of them.

import { Refusal, startsWith, textOf, utf8 } from "./bytes.js";
import { isObject } from "./canonical.js";
import { keepList, pinned } from "./pins.js";
import { fetchOwn, offer, showPins } from "./trusting.js";
import { make, reportView, say } from "./view.js";

const LARGEST = 50 * 1024 ** 2;
const form = document.querySelector("[data-drop]");
const find = (name) => document.querySelector(`[data-${name}]`);
const input = form.elements.file;
const code = form.elements.code;
const told = find("told");
const result = find("result");
let hand = [];
let trusted = null;

export { learn } from "./view.js";

/** Show whom this page trusts, keep the page, and examine what led here. */
export async function begin() {
  await Promise.all([trusting(), keepPage()]);
  await examineLinked();
}

/** What is pinned, once this installation was asked what it vouches for. */
const trusting = () => (trusted ??= showPins().then(renew));

export const renew = () => fetchOwn(examineAll);

export const takeTyped = () => takeCode(code.value, "Typed or pasted code");

/** A code may come as the part behind the # of this page's own address. */
export async function examineLinked() {
  const text = decodeURIComponent(location.hash.slice(1));
  if (!text.includes(".")) return;
  code.value = text;
  await takeCode(text, "Typed or pasted code");
}

// ------------------------------------------------------------------------------------- what comes

export async function take(files) {
  tell(say("Looking at it …"));
  hand = hand.filter((one) => one.kind !== "certificate" && one.kind !== "code");
  code.value = "";
  told.replaceChildren();
  for (const file of files) await takeFile(file);
  await examineAll();
}

async function takeFile(file) {
  if (file.size > LARGEST) {
    tell(say("The file is larger than {limit} MB; no certificate is.", { limit: 50 }), "error");
    return;
  }
  if (file.type.startsWith("image/")) {
    const { codeIn } = await import("./camera.js");
    const text = await codeIn(await createImageBitmap(file).catch(() => null));
    if (text === null) tell(say("No code was found in the picture. Hold it straight, fill the frame, avoid glare."), "warning");
    else addCode(text, "Code from the camera or a picture");
    return;
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  await sorted(file.name, bytes);
}

async function sorted(name, bytes) {
  const kind = kindOf(bytes);
  try {
    if (kind === "trust") { await offer(bytes, examineAll); return; }
    if (kind === "status") await keepList(bytes);
    if (kind === "code") { addCode(textOf(bytes).trim(), "Typed or pasted code"); return; }
  } catch (problem) {
    if (problem instanceof Refusal) tell(say(problem.message, problem.facts), "error");
    else tell(say("The file could not be read."), "error");
    return;
  }
  hand = [...hand.filter((one) => one.kind !== kind || kind === "certificate"), { name, bytes, kind }];
}

function kindOf(bytes) {
  if (startsWith(bytes, "%PDF-")) return "certificate";
  if (startsWith(bytes, "c2sp.org/tlog-proof@")) return "proof";
  if (startsWith(bytes, "calib-status/")) return "status";
  try {
    const text = textOf(bytes).trim();
    if (text.startsWith("{") && isObject(JSON.parse(text))) return "trust";
    return text.replace(/^\ufeff/, "").startsWith("<") ? "certificate" : "code";
  } catch {
    return "certificate";
  }
}

function addCode(text, name) {
  code.value = text;
  hand = [...hand.filter((one) => one.kind !== "code"), { name, bytes: utf8(text), kind: "code", isNamed: true }];
}

async function takeCode(text, name) {
  told.replaceChildren();
  hand = hand.filter((one) => one.kind !== "certificate");
  input.value = "";
  if (text.trim() && !text.includes("#") && /^https?:/.test(text.trim())) {
    tell(say("Which code belongs to this address is not said: nothing stands behind its #. Scan the code on the paper itself."), "warning");
  }
  if (text.trim()) addCode(text.trim(), name);
  await examineAll();
}

export async function scan() {
  find("camera").hidden = false;
  tell(say("Hold the code before the camera."));
  try {
    const { startCamera } = await import("./camera.js");
    const text = await startCamera(find("video"));
    await stop();
    if (text !== null) await takeCode(text, "Code from the camera or a picture");
  } catch (problem) {
    await stop();
    tell(say("The camera cannot be used ({reason}). Choose a photo of the code instead.", { reason: problem.name }), "warning");
  }
}

export async function stop() {
  const { stopCamera } = await import("./camera.js");
  stopCamera(find("video"));
  find("camera").hidden = true;
  told.replaceChildren();
}

// --------------------------------------------------------------------------------- what is found

async function examineAll() {
  showHand();
  const views = [];
  const chosen = hand.filter(({ kind }) => kind === "certificate" || kind === "code");
  if (chosen.length) {
    const { examined } = await import("./examining.js");
    if (!(await pinned()).length) await trusting(); // the first visit: whom to trust is being fetched
    const pins = await pinned();
    for (const one of chosen) {
      const report = await examined(one, hand, pins);
      const name = one.isNamed ? say(one.name) : one.name;
      views.push(reportView(report, { isCode: one.kind === "code", name }));
    }
  }
  result.replaceChildren(...views);
  result.hidden = !views.length;
  if (views.length) {
    told.querySelector(".looking")?.remove();
    result.focus({ preventScroll: true });
    result.scrollIntoView({ block: "start" });
  }
}

const KINDS = {
  certificate: "Certificate", proof: "Proof that it stands in the log", status: "Status list", code: "Code from the camera or a picture",
};

function showHand() {
  const list = find("hand");
  list.hidden = !hand.length;
  list.replaceChildren(...hand.map((one) => make("li", {},
    make("span", {}, one.isNamed ? say(one.name) : one.name, one.isNamed ? "" : make("small", {}, say(KINDS[one.kind]))),
    make("button", { type: "button", class: "quiet", click: async () => {
      hand = hand.filter((other) => other !== one);
      if (one.kind === "code") code.value = ""; else input.value = "";
      await examineAll();
    } }, say("Take out")))));
}

function tell(words, kind = "looking") {
  told.append(make("p", { class: kind === "looking" ? "looking" : `note ${kind}` }, words));
}

// --------------------------------------------------------------------------------- kept on the device

async function keepPage() {
  const kept = find("kept");
  if (!("serviceWorker" in navigator)) {
    kept.replaceChildren(say(window.isSecureContext
      ? "Your browser keeps no pages: this one works with a network only."
      : "This page is not kept on this device yet: open it once with a network, by HTTPS."));
    return;
  }
  try {
    await navigator.serviceWorker.register("/authenticate/worker.js", { scope: "/authenticate" });
    await navigator.serviceWorker.ready;
    kept.dataset.kept = "yes";
    kept.replaceChildren(say("Kept on this device: this page works without a network."));
  } catch {
    kept.replaceChildren(say("This page is not kept on this device yet: open it once with a network, by HTTPS."));
  }
}
