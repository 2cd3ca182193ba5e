// Before signing out: what waits here is told of, then deleted, so that nobody else finds it.

import { forget, forgetOld, forgetOldPages, forgetPages, pagesOf, waitingOf } from "./bench/kept.js";

export function guardLeaving(person) {
  forgetPages((name) => name !== pagesOf(person)).then(forgetOldPages);
  forgetOld();
  const ask = document.querySelector("dialog[data-leaving]");
  document.querySelectorAll("form[action='/sign-out']").forEach((form) => form.addEventListener("submit", async (event) => {
    if (form.dataset.sure !== undefined) return;
    event.preventDefault();
    const waits = (await waitingOf(person)).length;
    if (waits && !await isSure(waits)) return;
    await forget(person);
    form.dataset.sure = "";
    form.requestSubmit();
  }));

  function isSure(count) {
    ask.querySelector("[data-leaving-count]").textContent = count;
    ask.returnValue = "stay";
    ask.showModal();
    return new Promise((done) => {
      ask.addEventListener("close", () => done(ask.returnValue === "delete"), { once: true });
    });
  }
}
