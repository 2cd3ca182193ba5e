// What a verifier found: steps, each with a word for how much it knows, and one verdict. A step is
// established, contradicted, or not established; silence is never taken for good news.

import { Refusal } from "./bytes.js";

/** The order in which steps are reported; those of a file's inside are the server's to find. */
const ORDER = ["file", "log", "witnesses", "mark", "host", "simulated", "status", "validity"];
/** Steps of which one must be established: they show whose certificate it is. */
const ORIGIN = ["log", "mark"];

export const established = (id, message, facts = {}) => ({ id, state: "established", message, facts });
export const contradicted = (id, message, facts = {}) => ({ id, state: "contradicted", message, facts });
export const notEstablished = (id, message, facts = {}) => ({ id, state: "not_established", message, facts });

/** The step that readings by a generator contradict. */
export const simulated = () =>
  contradicted("simulated", "Its readings were simulated: it is no certificate of an instrument.");

/** The step that a refusal makes; any other failure is a fault of this program and goes on up. */
export function refused(id, problem, make = contradicted) {
  if (!(problem instanceof Refusal)) throw problem;
  return make(id, problem.message, problem.facts);
}

/** The report over steps in any order. */
export function reportOf(steps, says = {}) {
  const ordered = steps.toSorted((a, b) => ORDER.indexOf(a.id) - ORDER.indexOf(b.id));
  return { verdict: verdictOf(ordered), steps: ordered, says };
}

function verdictOf(steps) {
  const state = (id) => steps.find((step) => step.id === id)?.state;
  const against = steps.filter((step) => step.state === "contradicted").map((step) => step.id);
  if (against.some((id) => !["status", "validity", "simulated"].includes(id))) return "invalid";
  if (state("file") === "not_established") return "cannot_tell";
  if (!ORIGIN.some((id) => state(id) === "established")) return "cannot_tell";
  if (against.includes("simulated")) return "simulated";
  if (against.includes("status")) {
    const { facts } = steps.find((step) => step.id === "status");
    return facts.state === "withdrawn" ? "withdrawn" : "superseded";
  }
  if (state("status") !== "established") return "cannot_tell";
  return against.includes("validity") ? "expired" : "valid";
}

/** The word for what to do next, by the verdict or by what stands in its way. */
export function adviceOf({ verdict, steps }, { strangers, nobody }) {
  const said = (list, among) => among.some((step) => list.includes(step.message));
  const state = (id) => steps.find((step) => step.id === id)?.state;
  if (verdict === "invalid") {
    return said(strangers, steps.filter((step) => step.state === "contradicted")) ? "stranger" : "invalid";
  }
  if (verdict !== "cannot_tell") return verdict;
  if (state("file") === "not_established") return "no_certificate";
  if (said(nobody, steps)) return "nothing_pinned";
  return ORIGIN.some((id) => state(id) === "established") ? "status" : "proof";
}

/** The sentence with its {named} facts filled in. */
export const fill = (message, facts) =>
  message.replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? String(facts[name]) : whole));
