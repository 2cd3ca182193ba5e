// The page of a record opens again without a connection: the network first, then what was kept.
// Nothing is kept here; pages older than three days are no longer shown.

const OLDEST = 72 * 3600 * 1000;
const PAGE = /^\/calibrations\/(?:\d+|side)$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  const isPage = request.mode === "navigate" && PAGE.test(address.pathname);
  if (isPage || address.pathname.startsWith("/static/")) event.respondWith(answer(request, address, isPage));
});

async function answer(request, address, isPage) {
  try {
    return await fetch(request);
  } catch (fault) {
    const whole = !isPage || address.pathname.endsWith("/side");
    const kept = await caches.match(address.pathname + (whole ? address.search : ""), { ignoreVary: true });
    const isOld = kept && isPage && Date.now() - Date.parse(kept.headers.get("date")) > OLDEST;
    if (!kept || isOld) throw fault;
    return kept;
  }
}
