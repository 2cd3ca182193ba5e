// Keyboard shortcuts of every page, the list of them, and the question before signing out.

import { guardLeaving } from "./leaving.js";

const PAUSE = 1500; // ms in which the second key of a pair is awaited

const list = document.querySelector("dialog[data-keys]");
if (list) start(list);

function start(dialog) {
  let first = "";
  let timer = 0;
  document.querySelectorAll("[data-open-keys]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  });
  guardLeaving(Number(dialog.dataset.person));

  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    if (event.isComposing || event.defaultPrevented) return;
    if ((ctrlKey || metaKey) && !altKey) {
      if (key === "/") act(event, () => dialog.showModal());
      if (key === "Enter") press(event, "[data-submit-key]");
      return;
    }
    if (altKey || document.querySelector("dialog[open]") || isTyping(event.target)) return;
    if (first === "g") {
      const goal = dialog.querySelector(`[data-go="${CSS.escape(key)}"]`);
      forget();
      if (goal) act(event, () => goal.click());
      return;
    }
    if (key === "?") act(event, () => dialog.showModal());
    if (key === "/") act(event, () => document.querySelector("main input[type=search], main [role=search] input:not([type=hidden])")?.focus());
    if (key === "n") press(event, 'main a[href$="/new"], main a[href*="/new?"]');
    if (key === "g") { first = "g"; clearTimeout(timer); timer = setTimeout(forget, PAUSE); }
  });

  function forget() { first = ""; }

  function act(event, what) {
    if (dialog.open) return;
    event.preventDefault();
    what();
  }

  function press(event, selector) {
    const goal = [...document.querySelectorAll(selector)].find((one) => one.offsetParent !== null && !one.disabled);
    if (!goal || dialog.open) return;
    event.preventDefault();
    document.activeElement?.blur?.();
    goal.click();
  }
}

function isTyping(element) {
  return element.isContentEditable || element.matches("textarea, select")
    || (element.matches("input") && !element.matches("[type=checkbox], [type=radio], [type=submit], [type=button], [type=file]"));
}
