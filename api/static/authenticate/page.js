// The page answers at once: this script is all that it waits for. What examines, and what shows whom
// this page trusts, comes after the page stands; what is chosen before that waits for it.

const form = document.querySelector("[data-drop]");
const find = (name) => document.querySelector(`[data-${name}]`);
const input = form.elements.file;
let working = null;

start();

function start() {
  for (const name of ["scan", "check", "renew"]) find(name).hidden = false;
  show(localStorage.getItem("calib.language") ?? document.body.dataset.shown);
  listen();
  listenForInstall();
  if (input.files.length) ask("take", [...input.files]); // chosen before this script came
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin, { once: true });
}

function begin() {
  ask("begin");
}

/** Have the part that works do something; where it does not come or fails, that is said. */
async function ask(name, ...given) {
  try {
    working ??= load();
    const work = await working;
    find("broken").hidden = true;
    await work[name](...given);
  } catch (problem) {
    working = null;
    find("broken").hidden = false;
    throw problem;
  }
}

async function load() {
  const words = fetch("/authenticate/words.json").then((answer) => answer.json());
  const [work, known] = await Promise.all([import("./working.js"), words]);
  work.learn(known);
  return work;
}

function listen() {
  input.addEventListener("change", () => ask("take", [...input.files]));
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    input.files = event.dataTransfer.files;
    ask("take", [...input.files]);
  });
  find("check").addEventListener("click", () => ask("takeTyped"));
  find("scan").addEventListener("click", () => ask("scan"));
  find("stop").addEventListener("click", () => ask("stop"));
  find("renew").addEventListener("click", () => ask("renew"));
  window.addEventListener("hashchange", () => ask("examineLinked"));
  document.querySelectorAll("[data-language]").forEach((button) => button.addEventListener("click", (event) => {
    event.preventDefault();
    localStorage.setItem("calib.language", button.dataset.language);
    show(button.dataset.language);
  }));
}

/** Show one language from now on. */
function show(language) {
  document.body.dataset.shown = language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.querySelectorAll("[data-language]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  });
}

function listenForInstall() {
  const button = find("install");
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    button.hidden = false;
    button.onclick = () => { event.prompt(); button.hidden = true; };
  });
}
