// Keeps the page of a record at hand for the time without a connection, for this person only: the
// grid and what typing needs, and nothing that says whose instrument it is or who works here.

import { forgetPages, pagesOf } from "./kept.js";

export async function keepPage(person) {
  if (!globalThis.caches || !navigator.serviceWorker) return;
  try {
    await forgetPages((name) => name !== pagesOf(person));
    await navigator.serviceWorker.register("/calibrations/offline.js", { scope: "/calibrations/" });
    // a refused form stands under the address it was sent to; the record has one of its own
    const address = location.pathname.endsWith("/side") ? location.pathname + location.search
      : location.pathname.replace(/^(\/calibrations\/\d+)\/.*/, "$1");
    const page = await fetch(address, { headers: { Accept: "text/html" } });
    if (!page.ok || page.redirected) return;
    const pages = await caches.open(pagesOf(person));
    await pages.put(address, new Response(bare(await page.text()), { headers: named(page.headers) }));
    const parts = performance.getEntriesByType("resource").map((one) => new URL(one.name))
      .filter((one) => one.origin === location.origin && one.pathname.startsWith("/static/"));
    await Promise.all([...new Set(parts.map((one) => one.pathname + one.search))].map((one) => pages.add(one).catch(() => {})));
    document.documentElement.dataset.atHand = "";
  } catch { /* without a connection, or not allowed: the page works as long as it stays open */ }
}

function named(headers) {
  const names = ["content-type", "content-security-policy", "date"];
  return new Headers(names.filter((name) => headers.has(name)).map((name) => [name, headers.get(name)]));
}

function bare(markup) {
  const page = new DOMParser().parseFromString(markup, "text/html");
  const main = page.querySelector("main");
  const form = main.querySelector("form[data-grid]");
  const head = page.createElement("h1");
  head.textContent = (main.querySelector("h1 .number") ?? main.querySelector("h1")).textContent;
  const panel = page.createElement("div");
  panel.dataset.live = "";
  form.querySelector("[data-bare]").hidden = false;
  form.querySelectorAll("small.number, .grid-tools").forEach((one) => one.remove());
  form.querySelectorAll("[title]").forEach((one) => one.removeAttribute("title"));
  page.querySelectorAll("a.name").forEach((one) => one.remove());
  page.title = head.textContent;
  main.replaceChildren(head, form, panel, ...main.querySelectorAll("dialog[data-reason]"));
  return `<!doctype html>\n${page.documentElement.outerHTML}`;
}
