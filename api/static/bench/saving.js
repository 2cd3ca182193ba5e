// Sends what was typed and takes what the server answers, record by record: one refused or changed
// by a colleague keeps no other back.

import { pending } from "./cells.js";

const WAIT = 700; // ms after the last leaving of a cell before what was typed is sent
const AGAIN = 5000; // ms before a save that did not arrive is tried again

export function saver({ form, cells, talk, keep, show, online }) {
  const { words } = talk;
  const together = form.dataset.together !== undefined;
  const refused = new Set(); // targets
  let timer = 0;
  let saving = null;
  let savedAt = "";
  let typing = null; // a value half typed is no reading yet

  function schedule(wait = WAIT) {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
  }

  function save() {
    saving = saving || sendAll().finally(() => { saving = null; });
    return saving;
  }

  function open(cell) { return pending(cell).filter((one) => !refused.has(one)); }

  async function sendAll() {
    const batch = [];
    const changed = [];
    for (const cell of cells.all) {
      if (cell === typing || cell.classList.contains("asked")) continue;
      for (const target of open(cell)) {
        const sent = { cell, target, value: cell.value.trim(), reason: "" };
        if (target.revision === 0 && !sent.value) settle(cell);
        else if (target.revision === 0) batch.push(sent);
        else changed.push({ ...sent, reason: target.reason ?? "" });
      }
    }
    const unsaid = changed.filter((one) => !one.reason);
    batch.push(...changed.filter((one) => one.reason));
    if (unsaid.length) batch.push(...await withReason(unsaid));
    if (batch.length) await send(batch);
  }

  // Who is still typing a correction is asked on leaving the cell, not in the middle of it.
  async function withReason(changed) {
    const lines = changed.map(({ cell, target, value }) => `${nameOf(cell, target)}: ${target.saved || "–"} → ${value || "–"}`);
    const reason = await talk.askReason(lines);
    if (!reason) { changed.forEach(({ cell }) => restore(cell)); return []; }
    changed.forEach((one) => { one.reason = reason; one.target.reason = reason; keep.cell(one.cell); });
    return changed;
  }

  function nameOf(cell, target) {
    const item = cell.targets.length > 1 ? `${form.querySelector(`[data-item="${target.record}"]`)?.dataset.barcode ?? target.record} · ` : "";
    return item + cell.getAttribute("aria-label");
  }

  async function send(batch) {
    talk.say(words.saving);
    const parts = Map.groupBy ? Map.groupBy(batch, (one) => one.target.record) : grouped(batch);
    const records = [...parts].map(([record, sent]) => ({ calibration_id: record, entries: sent.map(entry) }));
    const body = JSON.stringify(together ? { records } : { entries: records[0].entries });
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    try {
      const answer = await fetch(form.action, { method: "POST", headers, body, keepalive: body.length < 60000 });
      if (answer.status === 401) throw new Error(words.signedOut);
      const said = await answer.json();
      online(true);
      let isRefused = false;
      for (const [record, sent] of parts) {
        const one = together && answer.ok ? said.records[record] : { ok: answer.ok, ...said };
        if (one.ok) accept(sent, one, record); else { isRefused = true; refuse(sent, one); }
      }
      settled(said.at ?? said.records?.[records[0].calibration_id]?.at, isRefused);
    } catch (fault) {
      const isOut = fault.message === words.signedOut;
      if (!isOut) online(false);
      talk.say(isOut ? words.signedOut : words.offline, "error");
      schedule(AGAIN);
    }
  }

  function grouped(batch) {
    const found = new Map();
    batch.forEach((one) => found.set(one.target.record, [...found.get(one.target.record) ?? [], one]));
    return found;
  }

  function settled(at, isTold) {
    savedAt = at ?? savedAt;
    const left = cells.all.filter((cell) => open(cell).length);
    if (left.length) talk.say(words.unsaved);
    else if (refused.size && !isTold) talk.say(words.refused, "error");
    else if (!refused.size) talk.say(`${words.saved} ${savedAt}`, "good");
    if (left.some((cell) => cell !== typing)) schedule();
  }

  function entry({ cell, target, value, reason }) {
    const [measurand, stage, piece, point, input, place] = cell.dataset.key.split("/");
    const standard = cell.closest("tr").querySelector("select[data-standard]");
    return {
      measurand, stage, piece: Number(piece), point, input, place: Number(place),
      revision: target.revision, value: value === "" ? null : value,
      reason: target.revision === 0 ? "" : reason,
      standard_certificate_id: standard && cell.classList.contains("by-row") ? Number(standard.value) : null,
    };
  }

  function accept(sent, said, record) {
    sent.forEach(({ cell, target, value }, i) => {
      const { revision } = said.readings[i];
      if (target.revision !== 0 && target.revision !== revision) cell.classList.add("corrected");
      stand(cell, target, revision, value);
      if (cell.value.trim() === value) settle(cell); else keep.cell(cell);
    });
    show(said, record);
  }

  function refuse(sent, said) {
    const named = (said.findings || []).filter((found) => /^\/entries\/\d+/.test(found.at));
    // what is said beside a cell is not said twice
    talk.say(named.length ? words.refused : `${words.refused}: ${said.detail || ""}`, "error");
    if (!named.length) { sent.forEach(({ target }) => refused.add(target)); return; }
    named.forEach((found) => {
      const { cell, target, value } = sent[Number(found.at.split("/")[2])];
      const theirs = said.cells?.[cell.dataset.key];
      refused.add(target);
      if (found.code === "reading-changed-meanwhile" && theirs) clash(cell, target, value, theirs);
      else complain(cell, target, found);
    });
  }

  function complain(cell, target, found) {
    const better = found.suggestion;
    const choices = better ? [[words.use.replace("{value}", better), () => { cell.value = better; touched(cell); schedule(0); }]] : [];
    talk.complain(cell, target, found.message, choices);
  }

  function clash(cell, target, mine, theirs) {
    const said = words.theirs.replace("{name}", theirs.by)
      .replace("{value}", theirs.value || words.nothing).replace("{mine}", mine || words.nothing);
    stand(cell, target, theirs.revision, theirs.value);
    delete target.reason;
    const text = cell.targets.length > 1 ? `${nameOf(cell, target).split(" · ")[0]}: ${said}` : said;
    talk.complain(cell, target, text, [
      [words.takeTheirs, () => take(cell, target, theirs.value)],
      [words.keepMine, () => { refused.delete(target); cell.value = mine; touched(cell); schedule(0); }],
    ], "conflict");
  }

  // Of a reading shared by several items the others keep theirs: the cell then shows that they differ.
  function take(cell, target, value) {
    refused.delete(target);
    if (cell.targets.length > 1) target.apart = true; else cell.value = value;
    cell.classList.toggle("differs", cell.targets.some((one) => one.apart));
    if (cell.targets.length > 1) talk.clear(cell);
    if (!pending(cell).length) settle(cell);
    keep.cell(cell);
    if (!cells.all.some((one) => pending(one).length)) talk.say(savedAt && `${words.saved} ${savedAt}`, "good");
  }

  function touched(cell) {
    cell.targets.forEach((one) => { refused.delete(one); one.apart = false; delete one.reason; });
    cell.classList.remove("differs");
    talk.clear(cell);
    const waits = pending(cell).length > 0;
    cell.classList.toggle("dirty", waits);
    keep.cell(cell);
    if (waits) talk.say(words.unsaved);
    else if (!cells.all.some((one) => pending(one).length)) talk.say("");
  }

  function stand(cell, target, revision, value) {
    target.revision = revision;
    target.saved = value ?? "";
    delete target.otherStandard;
    if (cell.targets.length > 1) return;
    cell.dataset.revision = revision;
    cell.dataset.saved = target.saved;
    cell.name = `v/${cell.dataset.key}/${revision}`;
  }

  function settle(cell) {
    if (pending(cell).length) { keep.cell(cell); return; }
    cell.targets.forEach((one) => { refused.delete(one); delete one.reason; });
    cell.classList.remove("dirty");
    talk.clear(cell);
    keep.cell(cell);
  }

  function restore(cell) {
    if (!pending(cell).length && !cell.classList.contains("asked")) return;
    cell.classList.remove("asked");
    cell.value = cell.targets[0].saved;
    cell.targets.forEach((one) => { delete one.otherStandard; one.apart = one.saved !== cell.value; });
    settle(cell);
    talk.say(words.kept);
  }

  return {
    schedule, save, touched, restore, stand, settle,
    type(cell) { typing = cell; },
    leave(cell) { if (!cell || typing === cell) typing = null; },
    busy: () => saving !== null,
    waits: () => cells.all.filter((cell) => pending(cell).length),
    isTyping: (cell) => typing === cell,
  };
}
