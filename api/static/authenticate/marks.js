// The mark in a code: what was issued, signed, so that it can be checked without any server.

import { cut, isDay, readWhole, Refusal, textOf, unbase64url, Unfit } from "./bytes.js";
import { lineOf, signers } from "./notes.js";

const HEADER = "calib-mark/1";
const MAX_LENGTH = 1200;
const WORD = /^[a-z_]{1,40}$/;
const ADDRESS = /^https?:\/\/([A-Za-z0-9.:[\]-]{1,253})\/(?:[A-Za-z0-9._~-]+\/)*c\/([A-Za-z0-9_-]{1,128})$/;

/** Read what stands behind the # of an address; nothing is believed yet. */
export function readFragment(fragment) {
  try {
    const [body, tail] = fragment.length <= MAX_LENGTH ? cut(fragment, ".") : ["", ""];
    const [text, signed] = [textOf(unbase64url(body)), unbase64url(tail)];
    const mark = partsOf(text);
    if (signed.length !== 4 + 64) throw new Unfit("no signature");
    return { ...mark, text, keyNumber: signed.slice(0, 4), signature: signed.slice(4) };
  } catch {
    throw new Refusal(
      "mark-unreadable",
      "The code holds no mark of a certificate ({header}). It was not made by this program, or was damaged: compare the certificate by its file.",
      { header: HEADER },
    );
  }
}

function partsOf(text) {
  const lines = text.split("\n");
  const [header, origin, number, kind, issued, until, verdict, item, place, payload, entry, end] = lines;
  const words = [origin, number, kind, issued, until, verdict, item];
  const isWhole = lines.length === 12 && header === HEADER && end === "" && words.every(Boolean);
  if (!isWhole || /[\0-\x09\x0b-\x1f\x7f]/.test(text)) throw new Unfit("no mark");
  if (!WORD.test(kind) || !WORD.test(verdict)) throw new Unfit("no kind or verdict");
  if (!isDay(issued) || (until !== "-" && !isDay(until))) throw new Unfit("no date");
  if ([payload, entry].some((one) => unbase64url(one).length !== 16)) throw new Unfit("no digest");
  readWhole(place);
  return { origin, number, kind, issued, until: until === "-" ? null : until, verdict, item, entry };
}

/** The known key that signed a mark; undefined when none did. */
export async function signerOf(mark, known) {
  for (const key of known) {
    const line = lineOf(key.name, mark.keyNumber, mark.signature);
    try {
      const [found] = await signers({ text: mark.text, signatures: [line] }, [key]);
      if (found) return key;
    } catch {
      // bears its number and does not fit: another key may share the four bytes
    }
  }
  return undefined;
}

/** The host an address leads to and the token in it; one a browser might read otherwise has none. */
export function ledTo(address) {
  const found = ADDRESS.exec(address);
  return found ? [found[1], found[2]] : [`"${address.slice(0, 200)}"`, ""];
}
