// Signed notes (C2SP signed-note): a text, and lines that say who signed it. A signature by a key
// nobody pinned is passed over; one that bears a known name and number and does not fit makes the
// whole note worthless.

import { concat, cut, equal, hex, Refusal, textOf, unbase64, utf8 } from "./bytes.js";
import { isSignedBy } from "./ed25519.js";
import { sha256 } from "./hashing.js";

export const ED25519 = 1;
export const COSIGNATURE = 4;
const MAX_BYTES = 64 * 1024;
const MAX_SIGNATURES = 64;
// what Python calls a space; the \s of this language means another set
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const CONTROL = /[\0-\x1f]/;
const CONTROL_BUT_LINES = /[\0-\x09\x0b-\x1f]/;

const isKeyName = (name) => name !== "" && !name.includes("+") && !SPACE.test(name) && !CONTROL.test(name);

async function keyNumber(name, type, publicKey) {
  const digest = await sha256(concat(utf8(`${name}\n`), [type], publicKey));
  return hex(digest.slice(0, 4));
}

/** Read a key in the form name+12345678+base64. */
export async function readNoteKey(text) {
  const [name, rest] = cut(text, "+");
  const [number, body] = cut(rest, "+");
  const decoded = attempt(() => unbase64(body));
  if (!isKeyName(name) || decoded.length !== 33 || ![ED25519, COSIGNATURE].includes(decoded[0])) {
    throw new Refusal(
      "vkey-unreadable",
      "{got} is no public key of the form name+number+base64 with an Ed25519 key. Copy the whole line from its owner.",
      { got: text.slice(0, 200) },
    );
  }
  const [type, publicKey] = [decoded[0], decoded.slice(1)];
  const expected = await keyNumber(name, type, publicKey);
  if (expected !== number) {
    throw new Refusal(
      "vkey-number-wrong",
      "The key of {name} bears the number {got}, but its content gives {expected}. It was damaged or changed: ask its owner for it again.",
      { name, got: number, expected },
    );
  }
  return { name, type, publicKey, number, text };
}

/** Take a note apart; nothing is believed yet. */
export function readNote(bytes) {
  const whole = bytes.length <= MAX_BYTES ? attempt(() => textOf(bytes), "") : "";
  const at = whole.lastIndexOf("\n\n");
  const lines = at < 0 ? [] : whole.slice(at + 2).split("\n");
  const isNote = at > 0 && lines.pop() === "" && lines.length > 0 && lines.length <= MAX_SIGNATURES;
  if (!isNote || CONTROL_BUT_LINES.test(whole)) throw unreadable();
  return { text: `${whole.slice(0, at)}\n`, signatures: lines.map(signature) };
}

function signature(line) {
  const parts = line.split(" ");
  const decoded = parts.length === 3 && parts[0] === "—" ? attempt(() => unbase64(parts[2])) : [];
  if (decoded.length <= 4 || !isKeyName(parts[1])) throw unreadable();
  return { name: parts[1], number: hex(decoded.slice(0, 4)), content: decoded.slice(4) };
}

function unreadable() {
  return new Refusal(
    "note-unreadable",
    "This is no signed note: a text, an empty line and one line for each signature are expected. Ask for the original file.",
  );
}

/** The known keys that signed the text itself. */
export const signers = async (note, known) => (await matched(note, known, ED25519)).map(([one]) => one);

/** The known witnesses that cosigned the text, each with the second it did. */
export const cosigners = async (note, known) =>
  (await matched(note, known, COSIGNATURE)).map(([one, by]) => [one, secondsOf(by.content)]);

async function matched(note, known, type) {
  const found = new Map();
  for (const one of note.signatures) {
    const key = known.findLast((k) => k.type === type && k.name === one.name && k.number === one.number);
    if (!key) continue;
    if (!(await fits(note.text, key, one.content))) {
      throw new Refusal(
        "note-signature-wrong",
        "The signature of {name} does not fit the text. The text or the signature was changed: do not rely on it.",
        { name: key.name },
      );
    }
    if (!found.has(key)) found.set(key, one);
  }
  return [...found];
}

const secondsOf = (content) => content.slice(0, 8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

async function fits(text, key, content) {
  if (key.type === ED25519) return isSignedBy(key.publicKey, utf8(text), content);
  const seconds = secondsOf(content);
  const message = utf8(`cosignature/v1\ntime ${seconds}\n${text}`);
  return seconds < 1n << 63n && isSignedBy(key.publicKey, message, content.slice(8));
}

/** The same key, whoever read it. */
export const isSameKey = (a, b) => a.name === b.name && a.type === b.type && equal(a.publicKey, b.publicKey);

/** A signature line as it is written; for what is made of other parts than a note. */
export const lineOf = (name, number, content) => ({ name, number: hex(number), content });

function attempt(read, otherwise = []) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
