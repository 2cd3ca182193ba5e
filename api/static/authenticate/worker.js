// Keeps the page, so that it works without a network. VERSION and FILES stand above: the server
// writes them, and a change of any file makes a new version. Answers for this page's files alone.

const NAME = `authenticate-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const kept = await caches.open(NAME);
    await kept.addAll(FILES.map((path) => new Request(path, { cache: "reload" })));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("authenticate-") && name !== NAME);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  const isOurs = origin === self.location.origin && FILES.includes(pathname);
  if (event.request.method === "GET" && isOurs) event.respondWith(answer(event.request, pathname));
});

/** What is kept comes first: a page that was genuine when it was kept stays it. */
async function answer(request, pathname) {
  const kept = await caches.open(NAME);
  return (await kept.match(pathname)) ?? fetch(request);
}
