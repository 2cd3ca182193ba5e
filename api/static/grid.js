// The entry grid of the bench: keys, paste, autosave, what is typed shown as it will be taken,
// results while typing, conflicts, work without a connection. Nothing here computes a number.

import { bubbleBeside, speaker } from "./bench/asking.js";
import { saveFirst } from "./bench/circumstances.js";
import { cellsOf, lay, movement, pending } from "./bench/cells.js";
import { canKeep, keepCells, keepSeen, seenOf, waitingOf } from "./bench/kept.js";
import { keepPage } from "./bench/offline.js";
import { saver } from "./bench/saving.js";
import { block, hasDecimalComma, interpret } from "./bench/typed.js";
import { dropFiles } from "./bench/dropping.js";
import { results } from "./bench/results.js";

const LOOK = 20000; // ms between looks at what a colleague entered
const IDLE = 6000; // ms after which a value that was not left is taken for whole

const grid = document.querySelector("form[data-grid]");
if (grid) start(grid);

function start(form) {
  const cells = cellsOf(form);
  const talk = speaker(form, JSON.parse(form.dataset.words));
  const { words } = talk;
  const bubble = bubbleBeside(form);
  const person = Number(form.dataset.person);
  const units = JSON.parse(form.dataset.units);
  const comma = hasDecimalComma(navigator.language);
  const sign = form.querySelector("[data-offline]");
  const keep = { cell: keepCell };
  const panel = results(form);
  const saving = saver({ form, cells, talk, keep, show, online });
  let idle = 0;
  let pasted = null;
  let kept = false; // the browser holds what waits, so that the page may be closed
  let isOnline = true;
  let changed = null; // cells whose waiting is to be written down

  form.querySelector("[data-without-script]")?.remove();
  form.querySelectorAll("[data-with-script][hidden]").forEach((part) => { part.hidden = false; });
  cells.all.forEach((cell) => { if (cell.targets.length === 1 && cell.value.trim() !== cell.targets[0].saved) saving.touched(cell); });
  apart();
  movement(form, cells, { copyAbove: (cell, value) => { put(cell, value); live(cell); }, restore, leave });
  dropFiles(form, words, talk);

  const how = (cell) => ({ comma, unit: cell.dataset.unit, units });

  // ---------------------------------------------------------------------------------- typing

  form.addEventListener("input", (event) => {
    const cell = event.target;
    if (!cell.matches("input[data-cell]")) return;
    saving.type(cell);
    cell.classList.remove("asked", "read");
    saving.touched(cell);
    preview(cell);
    clearTimeout(idle);
    idle = setTimeout(() => { if (interpret(cell.value, how(cell)).kind === "plain") { leave(cell); saving.schedule(0); } }, IDLE);
  });

  form.addEventListener("focusout", (event) => {
    if (event.target.matches?.("input[data-cell]")) leave(event.target);
    if (saving.waits().length) saving.schedule(50);
  });

  function preview(cell) {
    const found = interpret(cell.value, how(cell));
    const unit = cell.dataset.symbol;
    if (found.kind === "read") bubble.show(cell, `→ ${found.value} ${unit}`, "read");
    else if (found.kind === "ask") bubble.show(cell, words.either.replace("{one}", found.choices[0]).replace("{other}", found.choices[1]), "asked");
    else bubble.hide();
    if (found.kind === "plain" || found.kind === "read") live(cell);
  }

  // On leaving, the cell shows what is taken; the digits as typed stay in its title.
  function leave(cell) {
    saving.leave(cell);
    bubble.hide();
    const was = cell.value;
    const found = interpret(was, how(cell));
    if (found.kind === "read" || (found.kind === "plain" && found.value !== was)) {
      cell.value = found.value;
      saving.touched(cell);
      if (found.kind === "read") { cell.classList.add("read"); cell.title = words.typed.replace("{text}", was); }
    } else if (found.kind === "ask" && !cell.classList.contains("asked")) ask(cell, found.choices);
    else if (found.kind === "unit" && pending(cell).length) {
      cell.classList.add("asked");
      talk.complain(cell, cell.targets[0], words.unit.replace("{text}", was).replace("{unit}", cell.dataset.symbol));
    }
  }

  function ask(cell, choices) {
    cell.classList.add("asked");
    const text = words.asked.replace("{text}", cell.value.trim());
    talk.complain(cell, cell.targets[0], text, choices.map((value) => [value, () => choose(cell, value)]), "question");
  }

  function choose(cell, value) {
    cell.classList.remove("asked");
    put(cell, value);
    live(cell);
    saving.schedule(0);
  }

  function put(cell, value) {
    if (cell.readOnly) return;
    cell.value = value;
    cell.classList.remove("asked", "read");
    saving.touched(cell);
  }

  function restore(cell) {
    saving.leave(cell);
    bubble.hide();
    saving.restore(cell);
  }

  // ---------------------------------------------------------------------------------- paste

  form.addEventListener("paste", (event) => {
    const cell = event.target;
    if (!cell.matches("input[data-cell]")) return;
    const found = block(event.clipboardData.getData("text/plain"));
    if (found.ways.every((rows) => rows.length === 1 && rows[0].length === 1)) return;
    event.preventDefault();
    talk.hush("paste");
    if (found.ways.length === 1) { take(cell, found.ways[0]); return; }
    const [lines, parted] = found.ways;
    const sample = lines[0][0];
    talk.tell("paste", words.block.replace("{text}", sample), [
      [words.oneEach.replace("{value}", sample.replace(",", ".")), () => take(cell, lines)],
      [words.twoEach.replace("{one}", parted[0][0]).replace("{other}", parted[0][1]), () => take(cell, parted)],
    ], "question");
  });

  function take(first, rows) {
    talk.hush("paste");
    const read = [];
    const unsure = [];
    const { placed, fitted } = lay(cells, first, rows, (cell, text) => {
      const found = interpret(text, how(cell));
      put(cell, found.kind === "read" ? found.value : text);
      if (found.kind === "read") { cell.classList.add("read"); cell.title = words.typed.replace("{text}", text); read.push([text, found.value]); }
      if (found.kind === "ask") unsure.push({ cell, choices: found.choices });
      if (found.kind === "unit") leave(cell);
    });
    pasted = placed;
    saving.leave(first);
    told({ count: placed.length, read, fitted });
    askOfAll(unsure);
    live(first);
    saving.schedule(0);
  }

  function told({ count, read, fitted }) {
    const undo = [[words.undo, undoPaste]];
    if (!fitted) { talk.tell("paste", words.tooLarge, undo); return; }
    talk.say(words.pasted.replace("{count}", count));
    if (!read.length) return;
    const [from, to] = read[0];
    talk.tell("paste", words.readAs.replace("{count}", read.length).replace("{from}", from).replace("{to}", to), undo, "said");
  }

  function askOfAll(unsure) {
    unsure.slice(0, 1).forEach(({ cell, choices }) => {
      if (unsure.length === 1) { ask(cell, choices); return; }
      unsure.forEach((one) => one.cell.classList.add("asked"));
      const sample = cell.value;
      talk.tell("unsure", words.askedAll.replace("{count}", unsure.length).replace("{text}", sample), choices.map((value, i) => [
        words.like.replace("{value}", value),
        () => { talk.hush("unsure"); unsure.forEach((one) => choose(one.cell, one.choices[i])); },
      ]), "question");
    });
  }

  function undoPaste() {
    talk.hush("paste");
    talk.hush("unsure");
    (pasted ?? []).forEach(({ cell, before }) => put(cell, before));
    saving.schedule(0);
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-down]");
    if (!button) return;
    const { table, copyDown } = button.dataset;
    const column = cells.all.filter((c) => c.dataset.table === table && c.dataset.column === copyDown);
    const value = column[0].value.trim();
    if (!value) { column[0].focus(); return; }
    column.slice(1).filter((c) => !c.value.trim()).forEach((c) => put(c, value));
    saving.schedule(0);
  });

  // Readings of a standard that the items do not share yet.
  function apart() {
    const differ = cells.all.filter((cell) => cell.targets.some((one) => one.apart));
    differ.forEach((cell) => cell.classList.add("differs"));
    const toAll = () => { talk.hush("apart"); differ.filter((cell) => cell.value.trim()).forEach((cell) => put(cell, cell.value)); saving.schedule(0); };
    if (differ.length) talk.tell("apart", words.apart.replace("{count}", differ.length), [[words.toAll, toAll]], "conflict");
  }

  // ---------------------------------------------------------------------------------- other parts

  form.addEventListener("change", (event) => {
    if (!event.target.matches("select[data-standard]")) return;
    event.target.closest("tr").querySelectorAll("input[data-cell].by-row").forEach((cell) => {
      if (cell.value.trim()) { cell.targets[0].otherStandard = true; saving.touched(cell); }
    });
    saving.schedule(0);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); saving.schedule(0); });
  window.addEventListener("beforeunload", (event) => { if (saving.waits().length && !kept) event.preventDefault(); });
  window.addEventListener("online", () => saving.schedule(0));
  window.addEventListener("offline", () => online(false));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { if (saving.waits().length) saving.save(); } else look();
  });
  setInterval(() => { if (!document.hidden) look(); }, LOOK);

  // Another form of the page waits until what was typed is safe.
  document.addEventListener("submit", async (event) => {
    const { target, submitter } = event;
    if (event.defaultPrevented || target === form || target.method === "dialog") return;
    if (target.action.endsWith("/sign-out") || !saving.waits().length) return;
    event.preventDefault();
    await saving.save();
    const [left] = saving.waits();
    if (!left) target.requestSubmit(submitter);
    else { left.focus(); talk.say(words.refused, "error"); }
  });
  saveFirst(document.querySelector("[data-submit-key]")?.form, document.querySelector("form#circumstances"), () => saving.waits().length > 0);

  function live(cell) { panel.tryOut(saving.waits(), cell, saving.busy, how); }

  async function look() {
    if (saving.busy()) return;
    try {
      const answer = await fetch(form.dataset.liveAddress, { headers: { Accept: "application/json" } });
      if (!answer.ok || saving.busy()) return;
      const said = await answer.json();
      online(true);
      if (said.records) Object.entries(said.records).forEach(([record, one]) => show(one, Number(record)));
      else show(said, cells.all[0]?.targets[0].record);
    } catch { online(false); }
  }

  function show(said, record) {
    stands(said.cells, record);
    if (!saving.waits().length || !panel.isTrying()) panel.show(said, record);
    keepSeen(person, record, said.cells);
  }

  function stands(found, record) {
    cells.all.forEach((cell) => {
      const target = cell.targets.find((one) => one.record === record);
      const now = target && found[cell.dataset.key];
      if (!target) return;
      if (now && target.revision < now.revision && !pending(cell).includes(target)) {
        saving.stand(cell, target, now.revision, now.value);
        if (cell.targets.length === 1) { cell.value = now.value; cell.classList.add("by-other"); } else target.apart = now.value !== cell.value;
      }
      if (cell.targets.length > 1) return;
      cell.classList.toggle("suspect", Boolean(now?.suspect));
      if (!cell.classList.contains("read")) cell.title = now?.suspect || now?.by || "";
    });
  }

  // ---------------------------------------------------------------------------------- no connection

  function keepCell(cell) {
    if (!changed) { changed = new Set(); queueMicrotask(writeDown); }
    changed.add(cell);
  }

  function writeDown() {
    keepCells(person, [...changed].flatMap((cell) => {
      const waits = pending(cell);
      const value = cell.value.trim();
      return cell.targets.map((one) => (waits.includes(one)
        ? { record: one.record, key: cell.dataset.key, value, revision: one.revision, reason: one.reason ?? "", typed: Date.now() }
        : { record: one.record, key: cell.dataset.key }));
    }));
    changed = null;
    count();
  }

  function online(yes) {
    if (yes && !isOnline) setTimeout(() => saving.schedule(0), 0);
    isOnline = yes;
    count();
  }

  function count() {
    if (!sign) return;
    const waits = saving?.waits().length ?? 0;
    sign.hidden = isOnline;
    sign.querySelector("[data-waiting]").textContent = words.waiting.replace("{count}", waits);
  }

  async function restoreKept() {
    const records = new Set(cells.all.flatMap((cell) => cell.targets.map((one) => one.record)));
    for (const record of records) {
      const seen = await seenOf(person, record);
      if (seen) stands(seen.cells, record);
    }
    let found = 0;
    for (const one of await waitingOf(person)) {
      const at = cells.all.flatMap((cell) => cell.targets.map((target) => ({ cell, target })))
        .find(({ cell, target }) => target.record === one.record && cell.dataset.key === one.key);
      if (!at || at.cell.readOnly) continue;
      const { cell, target } = at;
      if (target.saved === one.value) { keepCells(person, [{ record: one.record, key: one.key }]); continue; }
      target.revision = one.revision; // what was seen when it was typed
      target.reason = one.reason || undefined;
      target.apart = false;
      cell.value = one.value;
      cell.classList.add("dirty");
      if (interpret(one.value, how(cell)).kind === "ask") ask(cell, interpret(one.value, how(cell)).choices);
      found += 1;
    }
    if (found) { talk.say(words.restored.replace("{count}", found)); saving.schedule(0); }
    count();
  }

  (async () => {
    kept = await canKeep();
    await restoreKept();
    form.dataset.ready = "";
    await look();
    if (form.dataset.mayMeasure !== undefined) await keepPage(person);
  })();
}
