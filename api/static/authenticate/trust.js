// What a verifier pins of an installation: its log and witnesses, keys of marks and status lists.
// It is worth as much as the way it came by.

import { hex, readInstant, readWhole, Refusal, textOf, Unfit, utf8 } from "./bytes.js";
import { canonical, isObject } from "./canonical.js";
import { sha256 } from "./hashing.js";
import { ED25519, readNoteKey } from "./notes.js";
import { readPolicy } from "./policies.js";

const FORMAT = "calib-trust/1";
const TEXTS = ["host", "origin", "policy"];
const LISTS = ["seals", "marks", "statuses"];
const ABSENT = { labs: {}, roots: [], seals: [], marks: [], statuses: [], made_at: "", time_roots: [] };
const LATER = ["compromised_size", "time_roots"]; // left out of what is compared while they are empty
const NO_KEY = { lab: "", valid_from: "", valid_to: "", compromised_at: "", compromised_size: "" };
const isText = (value) => typeof value === "string";

/** Read a trust bundle; every key in it is looked at. */
export async function readTrust(bytes) {
  const bundle = await partsOf(bytes);
  const names = [...new Set(bundle.policy.logs.map((one) => one.name))].sort();
  const keys = [...bundle.marks, ...bundle.statuses];
  if (names.join() !== bundle.origin || names.length !== 1 || keys.some((one) => one.noteKey.type !== ED25519)) {
    throw new Refusal(
      "trust-inconsistent",
      "The trust bundle names the log {origin}, but its keys are of {names}. Ask the laboratory for it again.",
      { origin: bundle.origin, names: names.join(", ") || "-" },
    );
  }
  return bundle;
}

async function partsOf(bytes) {
  try {
    const given = JSON.parse(textOf(bytes));
    need(isObject(given) && given.format === FORMAT, `/format: expected ${FORMAT}`);
    const plain = { ...ABSENT, ...given };
    needShape(plain);
    const read = async (one) => ({ ...one, noteKey: await readNoteKey(one.key) });
    return {
      host: plain.host,
      origin: plain.origin,
      madeAt: plain.made_at,
      labs: plain.labs,
      policy: await readPolicy(plain.policy),
      marks: await Promise.all(plain.marks.map(read)),
      statuses: await Promise.all(plain.statuses.map(read)),
      fingerprint: await fingerprintOf(plain),
    };
  } catch (problem) {
    const message = problem instanceof Refusal || problem instanceof Unfit ? problem.message : "no JSON";
    throw new Refusal(
      "trust-unreadable",
      "This is no trust bundle ({problem}). Ask the laboratory for it again, by a way other than the certificate.",
      { problem: message },
    );
  }
}

/** What two people compare; when the bundle was made is no matter, nor what it leaves out. */
async function fingerprintOf(plain) {
  const whole = (one) => withoutEmpty({ ...NO_KEY, ...one });
  const names = Object.entries(plain.labs).map(([code, of]) => [code, of.map((n) => ({ en: "", zh: "", ...n }))]);
  const lists = Object.fromEntries(LISTS.map((list) => [list, plain[list].map(whole)]));
  const filled = { ...plain, ...lists, labs: Object.fromEntries(names), made_at: "" };
  return hex(await sha256(utf8(canonical(withoutEmpty(filled)))));
}

const withoutEmpty = (plain) => Object.fromEntries(
  Object.entries(plain).filter(([name, value]) => value.length || !LATER.includes(name)),
);

function needShape(plain) {
  needOnly(plain, ["format", ...TEXTS, ...Object.keys(ABSENT)], "");
  [...TEXTS, "made_at"].forEach((name) => need(isText(plain[name]), `/${name}: a text is expected`));
  need(isObject(plain.labs), "/labs: an object is expected");
  Object.entries(plain.labs).forEach(([code, names]) => needNames(names, `/labs/${code}`));
  for (const list of ["roots", "time_roots"]) {
    need(Array.isArray(plain[list]) && plain[list].every(isText), `/${list}: texts are expected`);
  }
  for (const list of LISTS) {
    need(Array.isArray(plain[list]), `/${list}: a list is expected`);
    plain[list].forEach((one) => needKey(one, `/${list}`));
  }
}

function needNames(names, at) {
  need(Array.isArray(names) && names.every(isObject), `${at}: names in two languages are expected`);
  names.forEach((name) => {
    needOnly(name, ["en", "zh"], at);
    need(Object.values(name).every(isText), `${at}: a text is expected`);
    need(name.en || name.zh, `${at}: a label needs words in at least one language`);
  });
}

function needKey(one, at) {
  need(isObject(one) && isText(one.key), `${at}: a key is expected`);
  needOnly(one, ["key", ...Object.keys(NO_KEY)], at);
  need(Object.values(one).every(isText), `${at}: texts are expected`);
  [one.valid_from, one.valid_to, one.compromised_at].filter(Boolean).forEach(readInstant);
  if (one.compromised_size) readWhole(one.compromised_size);
}

function needOnly(plain, known, at) {
  const strange = Object.keys(plain).find((name) => !known.includes(name));
  need(strange === undefined, `${at}/${strange}: nothing of that name is known`);
}

function need(holds, problem) {
  if (!holds) throw new Unfit(problem);
}

/** Answer whether what the key signed at this instant may be believed. */
export function heldAt(key, at) {
  return (!key.valid_from || readInstant(key.valid_from) <= at)
    && (!key.valid_to || at < readInstant(key.valid_to))
    && (!key.compromised_at || at < readInstant(key.compromised_at));
}

/** The keys that a status list made at this instant and read now may be signed by. */
export function statusKeys(bundle, at, now) {
  return bundle.statuses.filter((one) => heldAt(one, at) && !wasGivenUp(one, now)).map((one) => one.noteKey);
}

/** Answer whether a key may be in other hands by now: whoever has it can date things back. */
export function wasGivenUp(key, now) {
  return Boolean(key.compromised_at) && readInstant(key.compromised_at) <= now;
}
