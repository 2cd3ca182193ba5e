// What is at hand for one file or code, and what it shows: the heavier half of the page, loaded with the
// first of them.

import { hex, textOf, utf8 } from "./bytes.js";
import { examineCode, examineFile } from "./examine.js";
import { sha256 } from "./hashing.js";
import { readProof } from "./log.js";
import { readFragment } from "./marks.js";
import { newestList, pinFor } from "./pins.js";

/** The report on one file or code, with whatever else is in hand. */
export async function examined(one, hand, pins) {
  const evidence = await evidenceFor(one, hand, pins);
  return (one.kind === "code" ? examineCode : examineFile)(one.bytes, evidence);
}

/** The pin that the code or proof names, and what is at hand of it. */
async function evidenceFor(one, hand, pins) {
  const proof = one.kind === "code" ? null : await proofFor(one, hand);
  const chosen = pinFor(pins, originOf(one, proof));
  const dropped = hand.find(({ kind }) => kind === "status")?.bytes ?? null;
  const kept = chosen?.status ? utf8(chosen.status) : null;
  const status = await newestList([kept, dropped], chosen?.bundle);
  return { trust: chosen?.bundle ?? null, proof, status, now: Date.now() };
}

/** The proof in hand; without one this site's log is asked by the digest of the file alone. */
async function proofFor(one, hand) {
  const inHand = hand.find(({ kind }) => kind === "proof");
  if (inHand) return inHand.bytes;
  try {
    const answer = await fetch(`/authenticate/proof/${hex(await sha256(one.bytes))}`);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

function originOf(one, proof) {
  try {
    if (proof) return readProof(proof).head.origin;
    const text = textOf(one.bytes);
    return readFragment(text.slice(text.indexOf("#") + 1)).origin;
  } catch {
    return "";
  }
}
