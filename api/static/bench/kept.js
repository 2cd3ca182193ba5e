// What the browser keeps of the bench until the server has it: cells by record and person.
// Nobody else's cells are ever shown or sent; signing out deletes one's own.

const NAME = "calib-bench";
const OLDEST = 72 * 3600 * 1000;

let opened = null;

function database() {
  opened = opened || new Promise((done, fail) => {
    if (!globalThis.indexedDB) { fail(new Error("no IndexedDB")); return; }
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      const waiting = asked.result.createObjectStore("waiting", { keyPath: ["person", "record", "key"] });
      waiting.createIndex("person", "person");
      asked.result.createObjectStore("seen", { keyPath: ["person", "record"] }).createIndex("person", "person");
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  return opened;
}

async function within(stores, mode, act) {
  try {
    const db = await database();
    const work = db.transaction(stores, mode, { durability: "strict" });
    const result = act(work);
    await new Promise((done, fail) => {
      work.oncomplete = done;
      work.onerror = () => fail(work.error);
      work.onabort = () => fail(work.error);
    });
    return result?.result;
  } catch {
    return undefined; // a browser that keeps nothing: the page itself still does
  }
}

export async function canKeep() {
  try { await database(); return true; } catch { return false; }
}

export function keepCells(person, lines) {
  return within(["waiting"], "readwrite", (work) => {
    const store = work.objectStore("waiting");
    lines.forEach(({ record, key, ...rest }) => {
      if (rest.value === undefined) store.delete([person, record, key]);
      else store.put({ person, record, key, ...rest });
    });
  });
}

export async function waitingOf(person) {
  return await within(["waiting"], "readonly", (work) => work.objectStore("waiting").index("person").getAll(person)) ?? [];
}

export function dropRecord(person, record) {
  return within(["waiting", "seen"], "readwrite", (work) => {
    work.objectStore("waiting").delete(IDBKeyRange.bound([person, record], [person, record, []]));
    work.objectStore("seen").delete([person, record]);
  });
}

export function keepSeen(person, record, cells) {
  return within(["seen"], "readwrite", (work) => work.objectStore("seen").put({ person, record, cells, at: Date.now() }));
}

export function seenOf(person, record) {
  return within(["seen"], "readonly", (work) => work.objectStore("seen").get([person, record]));
}

export async function forget(person) {
  await within(["waiting", "seen"], "readwrite", (work) => {
    for (const name of ["waiting", "seen"]) {
      const asked = work.objectStore(name).index("person").openCursor(person);
      asked.onsuccess = () => { const at = asked.result; if (at) { at.delete(); at.continue(); } };
    }
  });
  await forgetPages(() => true);
}

// What was last seen of records goes after three days; what waits stays until the server has it.
export function forgetOld() {
  return within(["seen"], "readwrite", (work) => {
    const asked = work.objectStore("seen").openCursor();
    asked.onsuccess = () => {
      const at = asked.result;
      if (!at) return;
      if (Date.now() - at.value.at > OLDEST) at.delete();
      at.continue();
    };
  });
}

// Pages likewise, by the day the server gave them out.
export async function forgetOldPages() {
  if (!globalThis.caches) return;
  for (const name of (await caches.keys()).filter((one) => one.startsWith(`${NAME}-`))) {
    const pages = await caches.open(name);
    for (const request of await pages.keys()) {
      const { pathname } = new URL(request.url);
      const given = Date.parse((await pages.match(request))?.headers.get("date"));
      if (pathname.startsWith("/calibrations/") && !(Date.now() - given <= OLDEST)) await pages.delete(request);
    }
  }
}

// Pages that lie here for the time without a connection; those of another person go at once.
export async function forgetPages(isToGo) {
  if (!globalThis.caches) return;
  const names = (await caches.keys()).filter((name) => name.startsWith(`${NAME}-`) && isToGo(name));
  await Promise.all(names.map((name) => caches.delete(name)));
}

export function pagesOf(person) { return `${NAME}-${person}`; }
