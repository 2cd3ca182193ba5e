// Readings typed without a connection for a record that can take none any more: shown, then deleted.

import { dropRecord, waitingOf } from "./kept.js";

const place = document.querySelector("[data-left]");
if (place) show(Number(place.dataset.person), Number(place.dataset.record));

async function show(person, record) {
  const left = (await waitingOf(person)).filter((one) => one.record === record);
  if (!left.length) return;
  place.querySelector("ul").replaceChildren(...left.map(({ key, value }) => {
    const [, stage, piece, point, input, number] = key.split("/");
    const line = document.createElement("li");
    const name = `${input} ${Number(number) + 1} @ ${point}${piece === "0" ? "" : ` #${piece}`} (${stage}): `;
    line.append(name, Object.assign(document.createElement("strong"), { textContent: value || "–" }));
    return line;
  }));
  place.hidden = false;
  place.querySelector("button").addEventListener("click", async () => {
    await dropRecord(person, record);
    place.hidden = true;
  });
}
