// Bytes and the texts they travel in. Every text is read strictly: one text for one content.

/** What is refused with a sentence for the reader, as the verifier in Python refuses it. */
export class Refusal extends Error {
  constructor(code, message, facts = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}

/** A text that is not what it should be; whoever reads on makes a Refusal of it. */
export class Unfit extends Error {}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export const utf8 = (text) => encoder.encode(text);

/** Read UTF-8; what is none is refused. */
export function textOf(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    throw new Unfit("no UTF-8");
  }
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const equal = (a, b) => a.length === b.length && a.every((byte, n) => byte === b[n]);

/** Whether bytes begin with plain letters. */
export const startsWith = (bytes, text) => [...text].every((c, n) => bytes[n] === c.charCodeAt(0));

export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

/** Read hexadecimal in small letters. */
export function unhex(text) {
  if (typeof text !== "string" || !/^(?:[0-9a-f]{2})*$/.test(text)) throw new Unfit("no hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export const base64 = (bytes) => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));

/** Read base64, refusing a second text for the same bytes. */
export function unbase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) throw new Unfit("no base64");
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  if (base64(bytes) !== text) throw new Unfit("not the canonical base64 of its content");
  return bytes;
}

export const base64url = (bytes) =>
  base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** Read base64url without padding, refusing a second text for the same bytes. */
export function unbase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new Unfit("no base64url");
  const padded = text + "=".repeat((4 - (text.length % 4)) % 4);
  return unbase64(padded.replaceAll("-", "+").replaceAll("_", "/"));
}

/** A count as C2SP writes it: decimal, no sign, no leading zero. */
export function readWhole(text) {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) throw new Unfit("no count");
  return BigInt(text);
}

/** The texts before and after the first separator; the second is empty without one. */
export function cut(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** A day of the calendar, written as 2026-03-02. */
export function isDay(text) {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!found || found[1] === "0000") return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === text;
}

/** An instant written as 2026-03-02T08:30:00Z, in milliseconds. */
export function readInstant(text) {
  const found = /^([1-9]\d{3}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/.exec(text);
  if (!found || !isDay(found[1]) || found[2] > "23" || found[3] > "59" || found[4] > "59") {
    throw new Unfit("no instant");
  }
  return Date.parse(text);
}
