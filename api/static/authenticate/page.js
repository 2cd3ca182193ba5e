// The page: what is chosen, dropped, scanned or typed is examined here and leaves this device only
// by the button that says so.

import { hex, Refusal, textOf, utf8 } from "./bytes.js";
import { isObject } from "./canonical.js";
import { codeIn, startCamera, stopCamera } from "./camera.js";
import { examineCode, examineFile, startsWith } from "./examine.js";
import { sha256 } from "./hashing.js";
import { readProof } from "./log.js";
import { readFragment } from "./marks.js";
import { keepList, newestList, pinFor, pinned } from "./pins.js";
import { fetchOwn, offer, showPins } from "./trusting.js";
import { make, reportView, say, show } from "./view.js";

const LARGEST = 50 * 1024 ** 2;
const form = document.querySelector("[data-drop]");
const find = (name) => document.querySelector(`[data-${name}]`);
const input = form.elements.file;
const code = form.elements.code;
const told = find("told");
const result = find("result");
let hand = [];

start();

async function start() {
  for (const name of ["scan", "check", "renew"]) find(name).hidden = false;
  const chosen = localStorage.getItem("calib.language") ?? document.body.dataset.shown;
  show(chosen);
  listen();
  await showPins();
  await Promise.all([keepPage(), fetchOwn(examineAll)]);
  await examineLinked();
}

function listen() {
  input.addEventListener("change", () => take([...input.files]));
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    input.files = event.dataTransfer.files;
    take([...input.files]);
  });
  find("check").addEventListener("click", () => takeCode(code.value, "Typed or pasted code"));
  find("scan").addEventListener("click", scan);
  find("stop").addEventListener("click", stop);
  find("renew").addEventListener("click", () => fetchOwn(examineAll));
  window.addEventListener("hashchange", examineLinked);
  document.querySelectorAll("[data-language]").forEach((button) => button.addEventListener("click", (event) => {
    event.preventDefault();
    localStorage.setItem("calib.language", button.dataset.language);
    show(button.dataset.language);
  }));
}

/** A code may come as the part behind the # of this page's own address. */
async function examineLinked() {
  const text = decodeURIComponent(location.hash.slice(1));
  if (!text.includes(".")) return;
  code.value = text;
  await takeCode(text, "Typed or pasted code");
}

// ------------------------------------------------------------------------------------- what comes

async function take(files) {
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

async function scan() {
  find("camera").hidden = false;
  tell(say("Hold the code before the camera."));
  try {
    const text = await startCamera(find("video"));
    stop();
    if (text !== null) await takeCode(text, "Code from the camera or a picture");
  } catch (problem) {
    stop();
    tell(say("The camera cannot be used ({reason}). Choose a photo of the code instead.", { reason: problem.name }), "warning");
  }
}

function stop() {
  stopCamera(find("video"));
  find("camera").hidden = true;
  told.replaceChildren();
}

// --------------------------------------------------------------------------------- what is found

async function examineAll() {
  showHand();
  const pins = await pinned();
  const views = [];
  for (const one of hand.filter(({ kind }) => kind === "certificate" || kind === "code")) {
    const isCode = one.kind === "code";
    const evidence = await evidenceFor(one, pins);
    const report = await (isCode ? examineCode : examineFile)(one.bytes, evidence);
    views.push(reportView(report, { isCode, name: one.isNamed ? say(one.name) : one.name }));
  }
  result.replaceChildren(...views);
  result.hidden = !views.length;
  if (views.length) {
    told.querySelector(".looking")?.remove();
    result.focus({ preventScroll: true });
    result.scrollIntoView({ block: "start" });
  }
}

/** The pin that the code or proof names, and what is at hand of it. */
async function evidenceFor(one, pins) {
  const proof = one.kind === "code" ? null : await proofFor(one);
  const chosen = pinFor(pins, originOf(one, proof));
  const dropped = hand.find(({ kind }) => kind === "status")?.bytes ?? null;
  const kept = chosen?.status ? utf8(chosen.status) : null;
  const status = await newestList([kept, dropped], chosen?.bundle);
  return { trust: chosen?.bundle ?? null, proof, status, now: Date.now() };
}

/** The proof in hand; without one this site's log is asked by the digest of the file alone. */
async function proofFor(one) {
  const inHand = hand.find(({ kind }) => kind === "proof");
  if (inHand) return inHand.bytes;
  try {
    const answer = await fetch(`/authenticate/proof/${hex(await sha256(one.bytes))}`);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

function originOf(one, proof) {
  try {
    if (proof) return readProof(proof).head.origin;
    const text = textOf(one.bytes);
    return readFragment(text.slice(text.indexOf("#") + 1)).origin;
  } catch {
    return "";
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
  listenForInstall();
  try {
    await navigator.serviceWorker.register("/authenticate/worker.js", { scope: "/authenticate" });
    await navigator.serviceWorker.ready;
    kept.dataset.kept = "yes";
    kept.replaceChildren(say("Kept on this device: this page works without a network."));
  } catch {
    kept.replaceChildren(say("This page is not kept on this device yet: open it once with a network, by HTTPS."));
  }
}

function listenForInstall() {
  const button = find("install");
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    button.hidden = false;
    button.onclick = () => { event.prompt(); button.hidden = true; };
  });
}
