// The signed list of certificates that no longer stand, and until when it may be believed.

import { base64url, concat, isDay, readInstant, readWhole, Refusal, Unfit, utf8 } from "./bytes.js";
import { sha256 } from "./hashing.js";

export const HEADER = "calib-status/1";
const LONGEST = 7 * 24 * 3600 * 1000; // how long a list is believed, whatever it says of itself
const ENDED = ["superseded", "withdrawn", "void"];

/** The name of a certificate in the list. */
export async function entryOf(token) {
  const digest = await sha256(concat(utf8("cal-status/1\0"), utf8(token)));
  return base64url(digest.slice(0, 16));
}

/** Read the text of a note as a status list. */
export function readStatus(note) {
  try {
    const [header, origin, issued, until, size, ...rows] = note.text.slice(0, -1).split("\n");
    if (header !== HEADER || !origin || size === undefined) throw new Unfit("another header");
    const lines = readWhole(size);
    const entries = new Map(rows.map(row));
    const sorted = [...entries.keys()].every((id, n, all) => !n || isBefore(all[n - 1], id));
    if (entries.size !== rows.length || !sorted) throw new Unfit("not in its one form");
    const issuedAt = readInstant(issued);
    const endsAt = Math.min(readInstant(until), issuedAt + LONGEST);
    return { origin, issuedAt, endsAt, size: lines, until: new Date(endsAt).toISOString().replace(".000", ""), entries };
  } catch {
    throw new Refusal(
      "status-unreadable",
      "This is no status list ({header}). Fetch it again from the laboratory.",
      { header: HEADER },
    );
  }
}

function row(text) {
  const [id, state, on, ...more] = text.split(" ");
  if (more.length || !ENDED.includes(state) || [...id].length !== 22 || !isDay(on ?? "")) {
    throw new Unfit("no entry");
  }
  return [id, { state, on }];
}

/** By characters, not by the halves in which this language keeps them. */
function isBefore(a, b) {
  const [left, right] = [utf8(a), utf8(b)];
  const at = left.findIndex((byte, n) => byte !== right[n]);
  return at >= 0 && left[at] < (right[at] ?? 0);
}
