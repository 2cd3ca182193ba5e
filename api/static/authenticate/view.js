// From reports to the page, in both languages at once; the style sheet shows the one that is chosen.
// Text only: nothing that a file says ever becomes markup.

import { adviceOf, fill } from "./report.js";

let words = JSON.parse(document.querySelector("[data-words]")?.textContent ?? "{}");

/** Take the words that are too many to stand on the page. */
export const learn = (more) => { words = more; };

const SIGN = { green: "good", yellow: "warning", red: "error" };

/** An element with its attributes and what it holds. */
export function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...inside);
  return element;
}

/** A sentence in both languages. */
export function say(message, facts = {}) {
  const part = document.createDocumentFragment();
  const english = fill(message, told(facts, (text) => text));
  const chinese = fill(words.sentences[message] ?? message, told(facts, (text) => words.sentences[text] ?? text));
  part.append(
    make("span", { class: "zh", lang: "zh-CN" }, chinese), " ",
    make("span", { class: "en", lang: "en" }, english),
  );
  return part;
}

/** Facts that are words of the program are said as such; what people wrote stays. */
function told(facts, translate) {
  const known = (name, value) => words.facts[name]?.[value];
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => {
    const said = known(name, value);
    return [name, said ? translate(said) : readable(value)];
  }));
}

/** A letter that turns the reading direction or cannot be seen is shown by its number. */
const plainSight = (text) => String(text).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu,
  (letter) => `\\u{${letter.codePointAt(0).toString(16).padStart(4, "0")}}`);

/** An instant as people read it. */
const readable = (value) =>
  plainSight(value).replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::00)?(:\d{2})?(?:Z|\+00:00)$/, "$1 $2$3 UTC");

const sign = (colour) => document.querySelector(`[data-sign=${colour}]`).content.cloneNode(true);

/** Everything that was found about one file or code. */
export function reportView(report, { isCode, name }) {
  const colour = words.signs[report.verdict];
  const advice = adviceOf(report, words);
  const heading = isCode && report.verdict === "valid"
    ? "The code is genuine, and its certificate stands."
    : advice === "no_certificate" ? words.no_certificate : words.verdicts[report.verdict];
  return make("article", {},
    make("div", { class: `verdict ${SIGN[colour]}`, "data-verdict": report.verdict }, sign(colour),
      make("div", {}, make("p", { class: "heading" }, say(heading)), make("p", { class: "what" }, name))),
    make("p", { "data-next": advice }, make("strong", {}, say("What to do next")), " ", say(words.next[advice])),
    make("ol", { class: "checks" }, ...report.steps.map(stepView)),
    isCode ? "" : make("p", { class: "quiet-text" }, say("The browser looked at the bytes, the log and the status. What the file says inside, and its seal, is examined by the server: press the button above.")),
    comparison(report.says));
}

const STATES = {
  established: "established", contradicted: "contradicted", not_established: "not established",
};

function stepView(step) {
  return make("li", { class: step.state, "data-step": step.id },
    make("span", { class: "glyph", "aria-hidden": "true" }),
    make("div", {},
      make("strong", {}, say(words.steps[step.id])), " ", make("em", {}, say(STATES[step.state])),
      make("p", {}, say(step.message, step.facts))));
}

/** What the certificate says of itself beside boxes to tick. */
function comparison(says) {
  const rows = words.order.filter((name) => says[name]);
  if (!rows.length) return "";
  const count = make("p", { role: "status" });
  const boxes = rows.map((name) => make("input", { type: "checkbox", change: tell }));
  function tell() {
    const done = boxes.filter((box) => box.checked).length;
    count.replaceChildren(say("Compared: {done} of {count}.", { done, count: boxes.length }), " ",
      done === boxes.length ? say("Everything you compared is the same.")
        : say("Whatever differs was changed: then the paper or the item is not what was issued."));
  }
  tell();
  return make("section", {},
    make("h2", {}, say("Compare it with what lies before you")),
    make("p", { class: "quiet-text" }, say("A genuine code or file can be copied onto another item or another paper. Tick what is the same.")),
    make("ul", { class: "compare" }, ...rows.map((name, n) => make("li", {}, make("label", { class: "check" },
      boxes[n], make("span", { class: "name" }, say(words.says[name])),
      make("span", { class: "value" }, valueOf(name, says[name])))))),
    count);
}

const valueOf = (name, value) =>
  (words.facts[name]?.[value] ? say(words.facts[name][value]) : plainSight(value));

/** A digest in groups of four, as people read it to each other. */
export const groups = (fingerprint) =>
  make("code", { class: "fingerprint" }, ...fingerprint.match(/.{4}/g).map((part) => make("span", {}, part, " ")));

/** A date without its time. */
export const day = (instant) => instant.slice(0, 10);
