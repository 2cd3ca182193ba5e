// The public log: hashes of its tree (RFC 6962), signed heads, proofs that a line stands in it.

import { concat, equal, readWhole, Refusal, textOf, unbase64, Unfit } from "./bytes.js";
import { sha256 } from "./hashing.js";
import { readNote } from "./notes.js";

const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_STEPS = 63;

export const leafHash = (line) => sha256(concat([0], line));
const nodeHash = (left, right) => sha256(concat([1], left, right));

/** Answer whether the path shows the leaf at the place (RFC 9162, 2.1.3.2). */
export async function includes(leaf, place, size, path, root) {
  if (place >= size) return false;
  let [here, last, found] = [place, size - 1n, leaf];
  for (const step of path) {
    if (last === 0n) return false;
    if (here & 1n || here === last) {
      found = await nodeHash(step, found);
      while (!(here & 1n) && here) [here, last] = [here >> 1n, last >> 1n];
    } else {
      found = await nodeHash(found, step);
    }
    [here, last] = [here >> 1n, last >> 1n];
  }
  return last === 0n && equal(found, root);
}

/** Read the text of a note as the head of a log; extension lines are refused. */
export function readCheckpoint(note) {
  const lines = note.text.split("\n");
  try {
    if (lines.length !== 4 || lines[0] === "" || lines[3] !== "") throw new Unfit("no head");
    const head = { origin: lines[0], size: readWhole(lines[1]), root: unbase64(lines[2]) };
    if (head.root.length !== 32) throw new Unfit("no root");
    return head;
  } catch {
    throw new Refusal(
      "checkpoint-unreadable",
      "The signed text is no checkpoint: the lines origin, size and root are expected, nothing else. Ask for the original file.",
    );
  }
}

/** Read a proof file. */
export function readProof(bytes) {
  const end = bytes.findIndex((byte, n) => byte === 10 && bytes[n + 1] === 10);
  try {
    const head = bytes.slice(0, Math.max(end, 0));
    if (end < 0 || head.some((byte) => byte > 127)) throw new Unfit("no proof");
    return parts(textOf(head).split("\n"), bytes.slice(end + 2));
  } catch (problem) {
    if (problem instanceof Refusal) throw problem;
    throw new Refusal(
      "proof-unreadable",
      "This is no proof of inclusion ({header}). Ask the laboratory for the original file.",
      { header: HEADER },
    );
  }
}

function parts(lines, tail) {
  if (lines.shift() !== HEADER) throw new Unfit("another header");
  const extra = lines[0]?.startsWith("extra ") ? unbase64(lines.shift().slice(6)) : new Uint8Array();
  const index = lines.shift() ?? "";
  if (!index.startsWith("index ")) throw new Unfit("no index");
  const note = readNote(tail);
  const place = readWhole(index.slice(6));
  const path = lines.map(unbase64);
  if (path.length > MAX_STEPS || path.some((step) => step.length !== 32)) throw new Unfit("no path");
  return { extra, note, place, path, head: readCheckpoint(note) };
}
