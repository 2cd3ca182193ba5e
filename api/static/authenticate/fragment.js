// On the page behind a code: shows what stands behind the # of the address. It is never sent, and
// this page, which may be a clone, is not the one to judge it.

import { readFragment } from "./marks.js";
import { make, say } from "./view.js";

const place = document.querySelector("[data-own-code]");
if (place) showOwn();

function showOwn() {
  const link = place.querySelector("[data-offline]");
  const fragment = location.hash.slice(1);
  try {
    const mark = readFragment(fragment);
    const parts = [mark.number, mark.item, mark.issued].map((part) => make("li", { class: "number" }, part));
    place.prepend(
      make("h2", {}, say("What the code itself says")), make("ul", { class: "own-code" }, ...parts),
      make("p", {}, say("The code on the paper carries this, signed by the laboratory. This page, which may be a clone, cannot vouch for it: check it with the page that you installed before.")));
    link.href = `/authenticate#${encodeURIComponent(location.href)}`;
  } catch {
    place.prepend(make("p", { class: "quiet-text" }, say("The code that led here carries no signed mark.")));
  }
}
