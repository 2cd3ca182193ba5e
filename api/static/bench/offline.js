// Keeps the page of a record at hand for the time without a connection, for this person only.

import { forgetPages, pagesOf } from "./kept.js";

export async function keepPage(person) {
  if (!globalThis.caches || !navigator.serviceWorker) return;
  try {
    await forgetPages((name) => name !== pagesOf(person));
    await navigator.serviceWorker.register("/calibrations/offline.js", { scope: "/calibrations/" });
    const address = location.pathname + (location.pathname.endsWith("/side") ? location.search : "");
    const page = await fetch(address, { headers: { Accept: "text/html" } });
    if (!page.ok || page.redirected) return;
    const pages = await caches.open(pagesOf(person));
    await pages.put(address, page);
    const parts = performance.getEntriesByType("resource").map((one) => new URL(one.name))
      .filter((one) => one.origin === location.origin && one.pathname.startsWith("/static/"));
    await Promise.all([...new Set(parts.map((one) => one.pathname + one.search))].map((one) => pages.add(one).catch(() => {})));
    document.documentElement.dataset.atHand = "";
  } catch { /* without a connection, or not allowed: the page works as long as it stays open */ }
}
