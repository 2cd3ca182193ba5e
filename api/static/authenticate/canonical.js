// Canonical JSON (RFC 8785), read and written: a line of the log has one form.

import { concat, hex, Refusal, textOf, Unfit, unhex, utf8 } from "./bytes.js";
import { sha256 } from "./hashing.js";

/** Write a value; the shortest form of numbers is this language's own. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    // sorted by code units, as RFC 8785 asks and this language does by itself
    const members = Object.keys(value).sort().map((key) => `${quoted(key)}:${canonical(value[key])}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "string") return quoted(value);
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 53) throw new Unfit("a number that does not survive");
  return JSON.stringify(value);
}

function quoted(text) {
  if (!text.isWellFormed()) throw new Unfit("half a character");
  return JSON.stringify(text);
}

/** Salt and subject as they travel with a proof; only the hash made of them gives them worth. */
export function saidBy(extra) {
  try {
    const text = textOf(extra);
    const plain = JSON.parse(text);
    if (Object.keys(plain).sort().join() !== "salt,subject" || canonical(plain) !== text) {
      throw new Unfit("not canonical");
    }
    const { salt, subject } = plain;
    if (!isObject(subject) || !Object.hasOwn(subject, "status")) throw new Unfit("no subject");
    unhex(salt);
    return { salt, subject };
  } catch {
    throw new Refusal(
      "proof-without-line",
      "The proof does not say which line it proves. Ask the laboratory for the original.",
    );
  }
}

/** The line of the log that salt and subject make. */
export async function lineOf(salt, subject) {
  const commit = await sha256(concat(utf8("cal-leaf/v1\0"), unhex(salt), utf8(canonical(subject))));
  const lab = Object.hasOwn(subject, "lab") ? String(subject.lab) : "";
  return utf8(canonical({ commit: hex(commit), lab, type: subject.status, v: 1 }));
}

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
