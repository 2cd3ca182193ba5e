// What this device trusts: bundles and the newest status list of each, kept in the browser's own
// store. A bundle once pinned is changed by nobody but the person.

import { textOf, utf8 } from "./bytes.js";
import { readNote, signers } from "./notes.js";
import { readStatus } from "./statuses.js";
import { readTrust, statusKeys } from "./trust.js";

const KEY = "calib.pins";

/** The pinned bundles, read again from their texts. */
export async function pinned() {
  const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
  return Promise.all(kept.map(async (one) => ({ ...one, bundle: await readTrust(utf8(one.text)) })));
}

function keep(pins) {
  const plain = pins.map(({ text, how, at, status }) => ({ text, how, at, status }));
  localStorage.setItem(KEY, JSON.stringify(plain));
}

/** Trust a bundle; one of the same log gives way. The list it had is kept if it is still signed. */
export async function pin(bytes, how) {
  const bundle = await readTrust(bytes);
  const pins = await pinned();
  const before = pins.find((one) => one.bundle.origin === bundle.origin);
  const added = { text: textOf(bytes), how, at: new Date().toISOString(), status: "", bundle };
  if (before?.status && (await believedList(utf8(before.status), bundle))) added.status = before.status;
  keep([...pins.filter((one) => one !== before), added]);
}

/** Trust a bundle no longer. */
export async function unpin(origin) {
  keep((await pinned()).filter((one) => one.bundle.origin !== origin));
}

/** Keep a status list with the bundle it belongs to; an older one never takes a newer one's place. */
export async function keepList(bytes) {
  const pins = await pinned();
  for (const one of pins) {
    const listed = await believedList(bytes, one.bundle);
    if (!listed) continue;
    const before = one.status && (await believedList(utf8(one.status), one.bundle));
    if (!before || !isNewer(before, listed)) one.status = textOf(bytes);
    keep(pins);
    return true;
  }
  return false;
}

/** The list, if a key of the bundle signed it that is not given up by now; null otherwise. */
export async function believedList(bytes, bundle, now = Date.now()) {
  try {
    const note = readNote(bytes);
    const listed = readStatus(note);
    const by = await signers(note, statusKeys(bundle, listed.issuedAt, now));
    return by.length && listed.origin === bundle.origin ? listed : null;
  } catch {
    return null;
  }
}

/** The list that counts: of those that are believed the one issued last; else the first there is. */
export async function newestList(lists, bundle, now = Date.now()) {
  let newest = null;
  for (const bytes of lists) {
    const listed = bundle && bytes && (await believedList(bytes, bundle, now));
    if (listed && (!newest || isNewer(listed, newest.listed))) newest = { bytes, listed };
  }
  return newest?.bytes ?? lists.find(Boolean) ?? null;
}

/** Of two of one second the one that takes more of the log into account. */
const isNewer = (one, other) => (one.issuedAt === other.issuedAt ? one.size > other.size : one.issuedAt > other.issuedAt);

/** The pin that a log's name belongs to; without one the first, so that a stranger is named as such. */
export const pinFor = (pins, origin) => pins.find((one) => one.bundle.origin === origin) ?? pins[0] ?? null;
