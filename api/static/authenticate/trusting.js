// The part of the page that shows whom it trusts, and asks before anything about that changes.

import { utf8 } from "./bytes.js";
import { believedList, keepList, pin, pinned, unpin } from "./pins.js";
import { readTrust } from "./trust.js";
import { day, groups, make, say } from "./view.js";

const offers = document.querySelector("[data-offers]");
const list = document.querySelector("[data-pins]");

/** Show what is pinned. */
export async function showPins() {
  const pins = await pinned();
  list.replaceChildren(...(pins.length ? await Promise.all(pins.map(pinView)) : [make("p",
    { class: "empty" }, say("Nothing is pinned. Add the trust bundle of a laboratory: a file that it hands out by another way than the certificate."))]));
}

async function pinView(one) {
  const { bundle } = one;
  const how = one.how === "first"
    ? "Pinned on {day}, when this page was first opened here. That is trust on first use: compare the fingerprint with one you were given by another way, on paper or by telephone."
    : "Pinned on {day} from a file that you chose.";
  return make("article", { class: "card pin", "data-pin": bundle.host },
    make("h3", {}, bundle.host),
    make("p", {}, say("Laboratories"), ": ", ...namesOf(bundle)),
    make("p", {}, say(how, { day: day(one.at) })),
    ...fingerprintView(bundle),
    await listView(one),
    make("div", { class: "actions" }, make("button", { type: "button", class: "danger",
      click: async () => { await unpin(bundle.origin); await showPins(); } }, say("Stop trusting"))));
}

const namesOf = (bundle) => Object.values(bundle.labs).flatMap(([{ en, zh }], n) => [
  n ? ", " : "", make("span", { class: "zh", lang: "zh-CN" }, zh || en), make("span", { class: "en", lang: "en" }, en || zh),
]);

/** The digest in groups, and a field to compare it with another. */
function fingerprintView(bundle) {
  const answer = make("p", { role: "status" });
  const id = `compare-${bundle.fingerprint.slice(0, 12)}-${Math.random().toString(36).slice(2, 6)}`;
  const field = make("input", { id, autocomplete: "off", spellcheck: "false", input: () => {
    const typed = field.value.toLowerCase().replace(/[^0-9a-f]/g, "");
    answer.replaceChildren(compared(typed, bundle.fingerprint));
  } });
  return [make("p", { class: "quiet-text" }, say("Fingerprint of the trust bundle (SHA-256)")),
    groups(bundle.fingerprint),
    make("label", { for: id }, say("Compare with the fingerprint you were given")), field, answer];
}

function compared(typed, fingerprint) {
  if (!typed) return "";
  if (!fingerprint.startsWith(typed)) return say("Not the same: do not trust it. Ask the laboratory again, by a telephone number you know.");
  if (typed.length < 64) return say("Go on: {count} of 64 characters.", { count: typed.length });
  return say("The same: this is the bundle you were told of.");
}

async function listView({ bundle, status }) {
  const listed = status ? await believedList(utf8(status), bundle) : null;
  if (!listed) return make("p", { class: "note warning" }, say("No status list yet: whether a certificate still stands cannot be told."));
  const { until } = listed;
  if (Date.now() >= listed.endsAt) {
    return make("p", { class: "note warning", "data-stale": true }, say("The status list was good until {until}. What was withdrawn since is not known: load it again.", { until }));
  }
  const at = new Date(listed.issuedAt).toISOString().replace(".000", "");
  return make("p", {}, say("Status list of {at}, good until {until}.", { at, until }));
}

/** Ask whether a bundle shall be trusted; one that takes another's place comes with a warning. */
export async function offer(bytes, done) {
  const bundle = await readTrust(bytes);
  const before = (await pinned()).find((one) => one.bundle.origin === bundle.origin || one.bundle.host === bundle.host);
  if (before && before.bundle.fingerprint === bundle.fingerprint) return;
  const close = () => card.remove();
  const card = make("article", { class: "card pin", "data-offer": bundle.host },
    make("h3", {}, say(before ? "Another bundle for {host}" : "New bundle for {host}", { host: bundle.host })),
    before ? make("p", { class: "note error" }, say("The bundle of {host} is not the one you pinned. Either keys were renewed, or somebody answers in the laboratory's place. Compare the fingerprint with one you are given by telephone before you take it.", { host: bundle.host })) : "",
    make("p", {}, say("Laboratories"), ": ", ...namesOf(bundle)),
    ...fingerprintView(bundle),
    make("div", { class: "actions" },
      make("button", { type: "button", class: "second", click: async () => {
        await pin(bytes, "file"); close(); await showPins(); await done();
      } }, say("Trust it from now on")),
      make("button", { type: "button", class: "quiet", click: close }, say("Do not take it"))));
  [...offers.children].filter((one) => one.dataset.offer === bundle.host).forEach((one) => one.remove());
  offers.append(card);
  card.scrollIntoView({ block: "nearest" });
}

/** Fetch what this installation vouches for: pinned on first use, asked about when it changed. */
export async function fetchOwn(done) {
  const bytes = await fetched("/.well-known/calib-trust");
  if (bytes) {
    const bundle = await readTrust(bytes);
    if (bundle.host !== location.host) {
      const message = "This page came from {here}, but its bundle is of {host}. Whoever serves it is not that installation: do not rely on this page.";
      offers.replaceChildren(make("p", { class: "note error", role: "alert" }, say(message, { here: location.host, host: bundle.host })));
    } else if ((await pinned()).length) {
      await offer(bytes, done);
    } else {
      await pin(bytes, "first");
      navigator.storage?.persist?.();
    }
  }
  const status = await fetched("/status/list");
  if (status) await keepList(status);
  await showPins();
}

async function fetched(path) {
  try {
    const answer = await fetch(path, { cache: "no-store" });
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  } catch {
    return null; // without a network the page works with what it has
  }
}
