// Results as the server computes them: of what is saved, and while typing of what would be.

import { pending } from "./cells.js";
import { interpret } from "./typed.js";

const PAUSE = 120; // ms after a key before the results of what stands there are asked for

export function results(form) {
  const side = form.dataset.together !== undefined;
  const panel = document.querySelector("[data-live]");
  let timer = 0;
  let number = 0;
  let trying = 0;

  document.querySelectorAll("template[data-part]").forEach((part) => spread(part.innerHTML, Number(part.dataset.part)));

  function show(said, record) {
    if (said.live === undefined) return;
    if (side) { spread(said.live, record); return; }
    if (panel && !panel.querySelector("details[open] form")?.contains(document.activeElement)) {
      panel.innerHTML = said.live; // rendered and escaped by the server
    }
  }

  // Parts of the answer go where their name stands in the page.
  function spread(markup, record) {
    const parts = document.createElement("template");
    parts.innerHTML = markup;
    document.querySelectorAll(`[data-result^="${record}|"]`).forEach((place) => { place.replaceChildren(); });
    parts.content.querySelectorAll("[data-of]").forEach((part) => {
      document.querySelector(`[data-result="${CSS.escape(part.dataset.of)}"]`)?.replaceChildren(...part.childNodes);
    });
  }

  function tryOut(waits, cell, busy, how) {
    clearTimeout(timer);
    timer = setTimeout(() => ask(waits, cell, busy, how), PAUSE);
  }

  async function ask(waits, cell, busy, how) {
    if (busy()) return;
    number += 1;
    const mine = number;
    const wanted = new Set(cell.targets.map((one) => one.record));
    const byRecord = new Map([...wanted].map((record) => [record, []]));
    for (const one of new Set([...waits, cell])) {
      const found = interpret(one.value, how(one));
      const isRead = found.kind === "plain" || found.kind === "read";
      pending(one).filter((target) => wanted.has(target.record) && isRead)
        .forEach((target) => byRecord.get(target.record).push(entry(one, found.value)));
    }
    const records = [...byRecord].map(([record, entries]) => ({ calibration_id: record, entries }));
    const body = JSON.stringify(side ? { records } : { entries: records[0].entries });
    const began = performance.now();
    trying += 1;
    try {
      const headers = { "Content-Type": "application/json", Accept: "application/json" };
      const answer = await fetch(form.dataset.liveAddress, { method: "POST", headers, body });
      if (!answer.ok || mine !== number || busy()) return;
      const said = await answer.json();
      performance.measure("live", { start: began });
      if (side) Object.entries(said.records).forEach(([record, one]) => show(one, Number(record)));
      else show(said, records[0].record);
    } catch { /* the saving says that the server does not answer */ } finally { trying -= 1; }
  }

  function entry(cell, value) {
    const [measurand, stage, piece, point, input, place] = cell.dataset.key.split("/");
    const standard = cell.closest("tr").querySelector("select[data-standard]");
    return {
      measurand, stage, piece: Number(piece), point, input, place: Number(place), revision: 0, value, reason: "",
      standard_certificate_id: standard && cell.classList.contains("by-row") ? Number(standard.value) : null,
    };
  }

  return { show, tryOut, isTrying: () => trying > 0 };
}
