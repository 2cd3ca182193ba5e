// Examine what lies in hand with what was brought along: the pinned bundle, a proof, the status list
// and the time. No network, nothing stored; the same questions and answers as the Python verifier.

import { cut, hex, Refusal, startsWith, textOf } from "./bytes.js";
import { lineOf, saidBy } from "./canonical.js";
import { sha256 } from "./hashing.js";
import { includes, leafHash, readProof } from "./log.js";
import { ledTo, readFragment, signerOf } from "./marks.js";
import { cosigners, readNote, signers } from "./notes.js";
import { isMet } from "./policies.js";
import { contradicted, established, notEstablished, refused, reportOf, simulated } from "./report.js";
import { entryOf, readStatus } from "./statuses.js";
import { heldAt, statusKeys, wasGivenUp } from "./trust.js";

const DAY = 24 * 3600 * 1000; // how far the clock of a witness may be ahead

const NOBODY = "Nothing is pinned: get the trust bundle of the laboratory by a way other than the certificate, and name it.";
const UNMADE = "Whether it stands is not asked of a code that its laboratory did not make so.";
const NAMELESS = "Under which name its status is kept is known from a proof that stands.";

const FOREIGN = "The file is no certificate of Calib, or cannot be read as one ({reason}).";
const LIKE_CODE = /^[ \t\r\n\f\v]*(?:#|https?:)|[A-Za-z0-9_-]{60}/;

/** Examine a file by its proof: whether exactly these bytes were issued, and still stand. */
export async function examineFile(bytes, evidence) {
  const role = startsWith(bytes, "%PDF-") ? "pdf" : "dcc";
  const says = {};
  const steps = await logSteps(bytes, role, evidence, says);
  if (role === "dcc" && !isMarkup(bytes)) {
    steps.push(notEstablished("file", FOREIGN, { reason: "no PDF, no XML and no code" }));
  }
  if (steps[0].state === "established") {
    steps.push(typeof says.entry === "string"
      ? await statusStep(evidence, says.entry) : notEstablished("status", NAMELESS));
  } else {
    steps.push(notEstablished("status", NAMELESS));
  }
  const { entry: _, ...shown } = says;
  return reportOf(steps, shown);
}

/** Examine what a code says: an address with the mark behind its #, or the mark alone. */
export async function examineCode(bytes, evidence) {
  if (!isLikeCode(bytes)) return examineFile(bytes, evidence);
  try {
    const text = codeOf(bytes);
    const [address, fragment] = cut(text, "#");
    const mark = readFragment(fragment || text);
    const [host, token] = fragment ? ledTo(address) : ["", ""];
    const whose = await markStep(mark, host, token, evidence);
    const steps = [
      established("file", "It reads as {kind} {number}.", { kind: mark.kind, number: mark.number }),
      whose,
      ...validitySteps(mark.until, evidence.now),
      ...(fragment ? [hostStep(host, evidence)] : []),
      ...(mark.verdict === "simulated" ? [simulated()] : []),
      whose.state === "contradicted"
        ? notEstablished("status", UNMADE) : await statusStep(evidence, mark.entry),
    ];
    return reportOf(steps, saysOf(mark, host, token));
  } catch (problem) {
    return reportOf([refused("file", problem)]);
  }
}

function codeOf(bytes) {
  try {
    return textOf(bytes).trim();
  } catch {
    const reason = "no PDF, no XML and no code";
    throw new Refusal(
      "certificate-unreadable",
      "The file is built like a certificate of Calib, and cannot be read as one ({reason}): it was changed or damaged. Ask the laboratory for the original file.",
      { reason },
    );
  }
}

function saysOf(mark, host, token) {
  return {
    number: mark.number, serial: mark.item, issued_on: mark.issued, valid_until: mark.until ?? "",
    verdict: mark.verdict, host, token,
  };
}

/** Whether a text could have stood in a code: an address, or a long run of base64url. */
const isLikeCode = (bytes) => LIKE_CODE.test(latin(bytes));
const isMarkup = (bytes) => /^[\xef\xbb\xbf \t\r\n]*</.test(latin(bytes.subarray(0, 1024)));
const latin = (bytes) => new TextDecoder("latin1").decode(bytes);

// ------------------------------------------------------------------------------------------- log

async function logSteps(bytes, role, evidence, says) {
  const { trust, proof: content } = evidence;
  if (!content) {
    const message = "There is no proof beside the file. Ask the laboratory for {number}.tlog-proof, or load it from the address on the certificate.";
    return [notEstablished("log", message, { number: "<number>" })];
  }
  if (!trust) return [notEstablished("log", NOBODY)];
  try {
    const proof = readProof(content);
    const { salt, subject } = saidBy(proof.extra);
    needSame(subject, role, hex(await sha256(bytes)));
    needLab(subject, trust);
    const steps = await proved(proof, await leafHash(await lineOf(salt, subject)), evidence);
    if (steps[0].state === "established" && subject.simulated === true) steps.push(simulated());
    Object.assign(says, { number: subject.number, laboratory: nameOf(trust, subject.lab), entry: subject.entry });
    return steps;
  } catch (problem) {
    return [refused("log", problem)];
  }
}

/** Refuse a proof of another file or another event. */
function needSame(subject, role, digest) {
  const files = subject.files ?? {};
  const number = typeof subject.number === "string" ? subject.number : "";
  const parts = [
    ["status", subject.status, "issued"],
    ["number", subject.number, number],
    [role, Object.hasOwn(files, role) ? files[role] : null, digest],
  ];
  for (const [part, logged, inHand] of parts) {
    if (logged !== inHand) {
      throw new Refusal(
        "proof-of-another",
        "The proof is not of this file: its {part} in the log is {logged}, in hand is {in_hand}. Either the file was changed, or the proof belongs to another one.",
        { part, logged: String(logged).slice(0, 80), in_hand: inHand },
      );
    }
  }
}

/** Refuse a line written in the name of a laboratory nobody pinned. */
function needLab(subject, trust) {
  const code = Object.hasOwn(subject, "lab") ? String(subject.lab) : "";
  if (!Object.hasOwn(trust.labs, code) || !trust.labs[code].length) {
    throw new Refusal(
      "proof-of-another-lab",
      "The line of the log was written in the name of laboratory {code}, which is not the one the certificate names, or none you pinned.",
      { code: code.slice(0, 40) },
    );
  }
}

const nameOf = (trust, code) => trust.labs[code][0].en || trust.labs[code][0].zh;

async function proved(proof, leaf, evidence) {
  const { policy, origin } = evidence.trust;
  const { head, place } = proof;
  const by = await signers(proof.note, policy.logs);
  if (head.origin !== origin || !by.some((one) => one.name === head.origin)) {
    const message = "The head of the log {origin} is not signed by a key you trust. Whoever made it is not the installation you pinned.";
    return [contradicted("log", message, { origin: head.origin })];
  }
  if (!(await includes(leaf, place, head.size, proof.path, head.root))) {
    const message = "Line {place} of the log is not this certificate: the path does not lead to its root.";
    return [contradicted("log", message, { place })];
  }
  const message = "Exactly these bytes stand in the log {origin} as line {place} of {size}.";
  const found = established("log", message, { origin: head.origin, place, size: head.size });
  return [found, await witnessed(proof, evidence)];
}

async function witnessed(proof, { trust, now }) {
  const latest = BigInt(Math.floor((now + DAY) / 1000));
  const known = [...trust.policy.witnesses.values()];
  const all = await cosigners(proof.note, known);
  const seen = all.filter(([, seconds]) => seconds <= latest).map(([one]) => one);
  const names = seen.map((one) => one.name).join(", ");
  if (!isMet(trust.policy, seen)) {
    const message = "Your policy asks for witnesses, and too few of them cosigned: {names}. Fetch a newer proof.";
    return contradicted("witnesses", message, { names: names || "none" });
  }
  if (!seen.length) {
    return notEstablished("witnesses", "No witness is asked for: that the log shows everybody the same is not established.");
  }
  return established("witnesses", "Cosigned by {names}.", { names });
}

// ------------------------------------------------------------------------------------------ mark

async function markStep(mark, host, token, { trust, now }) {
  if (!trust) return notEstablished("mark", "Nothing is pinned that could have signed the code.");
  const noteKey = await signerOf(mark, trust.marks.map((one) => one.noteKey));
  if (!noteKey) {
    return contradicted("mark", "No laboratory you trust signed this code: it is forged.");
  }
  const key = trust.marks.findLast((one) => one.noteKey.text === noteKey.text);
  if (!heldAt(key, Date.parse(`${mark.issued}T12:00:00Z`))) {
    const message = "The key of the code was not to be believed on {day}.";
    return contradicted("mark", message, { day: mark.issued });
  }
  if (mark.origin !== trust.origin || (host && host !== trust.host)) {
    const message = "The code leads to {host}, but its laboratory answers at {expected}. The page it opens is not theirs: believe only what is said here, and tell them.";
    return contradicted("mark", message, { host, expected: trust.host });
  }
  if (token && (await entryOf(token)) !== mark.entry) {
    const message = "The address of the code was changed: the laboratory signed another one. Do not open it, and ask the laboratory.";
    return contradicted("mark", message);
  }
  if (wasGivenUp(key, now)) {
    const message = "The key of the code was given up: whoever has it can date a code back. The code alone shows nothing; bring the file and its proof.";
    return notEstablished("mark", message);
  }
  const message = "Signed by laboratory {code}. Compare number, serial number and result with what lies before you: a genuine code can be copied onto another item.";
  return established("mark", message, { code: key.lab });
}

/** Answer whether a code leads to the installation that is pinned. */
function hostStep(host, { trust }) {
  if (!trust) return notEstablished("host", "Nothing is pinned that the address could be held to.");
  if (host !== trust.host) {
    const message = "The code leads to {host}, you pinned {expected}. Do not open it, and believe nothing it shows. Ask the laboratory by a telephone number you know from elsewhere; if it really works at {host}, get its trust bundle from it by another way and pin it.";
    return contradicted("host", message, { host, expected: trust.host });
  }
  return established("host", "The code leads to {host}, which you pinned.", { host });
}

function validitySteps(until, now) {
  if (until === null) return [];
  const today = new Date(now).toISOString().slice(0, 10);
  if (until < today) return [contradicted("validity", "Its legal validity ended on {day}.", { day: until })];
  return [established("validity", "It is legally valid until {day}.", { day: until })];
}

// ---------------------------------------------------------------------------------------- status

/** Answer whether the certificate still stands; a list past its time says nothing. */
async function statusStep({ trust, status: content, now }, entry) {
  if (!trust) return notEstablished("status", NOBODY);
  if (!content) {
    const message = "There is no status list. Fetch /status/list of {host}, or ask the laboratory.";
    return notEstablished("status", message, { host: trust.host });
  }
  try {
    const note = readNote(content);
    const listed = readStatus(note);
    if (!(await signers(note, statusKeys(trust, listed.issuedAt, now))).length || listed.origin !== trust.origin) {
      const message = "The status list of {origin} is not signed by a key you trust. Fetch it again.";
      return notEstablished("status", message, { origin: listed.origin });
    }
    return standing(listed, now, entry);
  } catch (problem) {
    return refused("status", problem, notEstablished);
  }
}

function standing(listed, now, entry) {
  const ended = listed.entries.get(entry);
  if (ended) return contradicted("status", "The laboratory says: {state} since {on}.", ended);
  const until = listed.until.replace("Z", "+00:00");
  if (now < listed.issuedAt || now >= listed.endsAt) {
    const message = "The status list was good until {until}; what happened since is not known. Fetch it again.";
    return notEstablished("status", message, { until });
  }
  return established("status", "It stands, by the list that is good until {until}.", { until });
}
