// Whom a verifier trusts (C2SP tlog-policy): logs, witnesses, and how many must have cosigned.

import { Refusal } from "./bytes.js";
import { COSIGNATURE, ED25519, isSameKey, readNoteKey } from "./notes.js";

const MAX_LINES = 1000;
const NONE = "none";

/** Read a policy file; what is wrong is told with its line. */
export async function readPolicy(text) {
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null, used: new Set() };
  const lines = text.split("\n");
  if (lines.length > MAX_LINES || /[\0-\x08\x0b-\x1f\x7f]/.test(text)) {
    throw wrong(0, "it is too long or holds control characters");
  }
  for (const [place, line] of lines.entries()) {
    const words = line.split(/[ \t]/).filter(Boolean);
    if (words.length && !words[0].startsWith("#")) await readLine(policy, place + 1, words);
  }
  if (policy.quorum === null) throw wrong(lines.length, "there is no quorum line");
  return policy;
}

async function readLine(policy, number, [keyword, ...rest]) {
  const known = { log: readLog, witness: readWitness, group: readGroup, quorum: readQuorum };
  if (!Object.hasOwn(known, keyword)) {
    throw wrong(number, `${keyword} is none of log, witness, group, quorum`);
  }
  await known[keyword](policy, number, rest);
}

async function readLog(policy, number, rest) {
  if (![1, 2].includes(rest.length)) throw wrong(number, "a log has a key and perhaps an address");
  policy.logs.push(await readKey(policy.logs, number, "log", rest[0], ED25519));
}

async function readWitness(policy, number, rest) {
  if (![2, 3].includes(rest.length)) {
    throw wrong(number, "a witness has a name, a key and perhaps an address");
  }
  needNew(policy, number, rest[0]);
  const known = [...policy.witnesses.values()];
  policy.witnesses.set(rest[0], await readKey(known, number, "witness", rest[1], COSIGNATURE));
}

async function readKey(known, number, kind, text, type) {
  let key;
  try {
    key = await readNoteKey(text);
  } catch (problem) {
    throw wrong(number, `the key cannot be read (${problem.code})`);
  }
  if (key.type !== type) throw wrong(number, `the key of a ${kind} has type ${type}, not ${key.type}`);
  const twice = known.some((one) => isSameKey({ ...one, name: key.name }, key));
  if (twice) throw wrong(number, "the same key stands there twice");
  return key;
}

function readGroup(policy, number, rest) {
  if (rest.length < 3) throw wrong(number, "a group has a name, all, any or a count, and members");
  const [name, needed, ...members] = rest;
  needNew(policy, number, name);
  for (const member of members) {
    if (!isDefined(policy, member)) throw wrong(number, `${member} is not defined above`);
    if (policy.used.has(member)) throw wrong(number, `${member} is a member already`);
    policy.used.add(member);
  }
  if (!/^(?:all|any|[0-9]+)$/.test(needed)) {
    throw wrong(number, `${needed} is neither all, any nor a count`);
  }
  const count = { all: members.length, any: 1 }[needed] ?? Number(needed);
  if (count < 1 || count > members.length) {
    throw wrong(number, `${count} of ${members.length} members cannot be asked for`);
  }
  policy.groups.set(name, { needed: count, members });
}

function readQuorum(policy, number, rest) {
  if (policy.quorum !== null) throw wrong(number, "there is a quorum line already");
  if (rest.length !== 1 || (rest[0] !== NONE && !isDefined(policy, rest[0]))) {
    throw wrong(number, "a quorum names one witness or group defined above, or none");
  }
  [policy.quorum] = rest;
}

const isDefined = (policy, name) => policy.witnesses.has(name) || policy.groups.has(name);

function needNew(policy, number, name) {
  if (name === NONE || isDefined(policy, name)) throw wrong(number, `the name ${name} is taken`);
}

/** Answer whether these cosigners are enough. */
export function isMet(policy, cosigned) {
  const holds = (name) => {
    const witness = policy.witnesses.get(name);
    if (witness) return cosigned.some((one) => isSameKey(one, witness));
    const group = policy.groups.get(name);
    return group.members.filter(holds).length >= group.needed;
  };
  return policy.quorum === NONE || holds(policy.quorum);
}

function wrong(line, reason) {
  return new Refusal(
    "policy-unreadable",
    "Line {line} of the policy is wrong: {reason}. Correct it, or ask its author.",
    { line, reason },
  );
}
