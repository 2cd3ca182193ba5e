// The entry grid of the bench: keyboard, paste from a spreadsheet, autosave, conflicts shown.
// Without this script the same form is sent by its button; nothing here computes a number.
"use strict";

const grid = document.querySelector("form[data-grid]");
if (grid) start(grid);

function start(form) {
  const cells = [...form.querySelectorAll("input[data-cell]")];
  const state = form.querySelector("[data-save-state]");
  const words = JSON.parse(form.dataset.words);
  const dirty = new Set();
  let timer = 0;
  let saving = false;

  form.querySelector("[data-without-script]")?.remove();
  cells.forEach((cell) => { cell.dataset.saved = cell.value; });

  form.addEventListener("keydown", (event) => {
    if (!event.target.matches("input[data-cell]") || event.isComposing) return;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [event.shiftKey ? -1 : 1, 0] }[event.key]
      || (atEdge(event) && { ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key]);
    if (!step) return;
    event.preventDefault();
    neighbour(event.target, step)?.focus();
  });

  form.addEventListener("focusin", (event) => {
    if (event.target.matches("input[data-cell]")) event.target.select();
  });

  form.addEventListener("paste", (event) => {
    if (!event.target.matches("input[data-cell]")) return;
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n$/, "");
    if (!/[\t\n]/.test(text)) return;
    event.preventDefault();
    let row = event.target;
    for (const line of text.split("\n")) {
      let cell = row;
      for (const value of line.split("\t")) {
        if (!cell) { say(words.tooLarge, "error"); break; }
        cell.value = value.trim();
        touched(cell);
        cell = neighbour(cell, [0, 1]);
      }
      const next = neighbour(row, [1, 0]);
      if (!next && line !== text.split("\n").at(-1)) { say(words.tooLarge, "error"); break; }
      row = next || row;
    }
  });

  form.addEventListener("input", (event) => {
    if (event.target.matches("input[data-cell]")) touched(event.target);
  });
  form.addEventListener("focusout", () => { if (dirty.size) schedule(0); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    schedule(0);
  });
  window.addEventListener("beforeunload", (event) => { if (dirty.size) event.preventDefault(); });

  function atEdge(event) {
    const cell = event.target;
    const all = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
    if (event.key === "ArrowLeft") return all || cell.selectionEnd === 0;
    return all || cell.selectionStart === cell.value.length;
  }

  function neighbour(cell, [down, right]) {
    const row = Number(cell.dataset.row) + down;
    const column = Number(cell.dataset.column) + right;
    return form.querySelector(`input[data-cell][data-row="${row}"][data-column="${column}"]:not([disabled])`);
  }

  function touched(cell) {
    if (cell.value.trim() === cell.dataset.saved) { dirty.delete(cell); clear(cell); return; }
    dirty.add(cell);
    say(words.unsaved, "");
    schedule(700);
  }

  function schedule(wait) {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
  }

  async function save() {
    if (saving || !dirty.size) return;
    const first = [...dirty].filter((c) => c.dataset.revision === "0" && c.value.trim() !== "");
    const changed = [...dirty].filter((c) => c.dataset.revision !== "0");
    dirty.forEach((c) => { if (c.dataset.revision === "0" && !c.value.trim()) dirty.delete(c); });
    let reason = "";
    if (changed.length && !form.contains(document.activeElement?.closest("dialog"))) {
      if (document.activeElement && changed.includes(document.activeElement)) {
        if (!first.length) return; // still typing in a cell that needs a reason: ask on leaving it
      } else {
        reason = await askReason(changed);
        if (!reason) { changed.forEach(restore); return save(); }
      }
    }
    const batch = reason ? [...first, ...changed] : first;
    if (!batch.length) return;
    saving = true;
    say(words.saving, "");
    const sent = batch.map((cell) => ({ cell, value: cell.value.trim() }));
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ reason, entries: sent.map(({ cell, value }) => entry(cell, value)) }),
      });
      const body = await answer.json();
      if (answer.ok) accept(sent, body); else refuse(sent, body);
    } catch {
      say(words.offline, "error");
      setTimeout(() => schedule(0), 5000);
    } finally {
      saving = false;
      if (dirty.size && !form.querySelector("[aria-invalid=true]")) schedule(700);
    }
  }

  function entry(cell, value) {
    const d = cell.dataset;
    return { measurand: d.measurand, stage: d.stage, piece: Number(d.piece), point: d.point, input: d.input,
      place: Number(d.place), revision: Number(d.revision), value: value === "" ? null : value };
  }

  function accept(sent, body) {
    sent.forEach(({ cell, value }, i) => {
      cell.dataset.revision = body.readings[i].revision;
      cell.dataset.saved = value;
      clear(cell);
      if (cell.value.trim() === value) dirty.delete(cell);
    });
    say(`${words.saved} ${body.at}`, "good");
    const live = form.querySelector("[data-live]");
    if (live && body.live !== undefined) live.innerHTML = body.live; // rendered and escaped by the server
  }

  function refuse(sent, body) {
    say(body.detail || words.refused, "error");
    const place = /^\/entries\/(\d+)/.exec(body.at || "");
    const at = place ? sent[Number(place[1])]?.cell : null;
    if (!at) { setTimeout(() => sent.forEach(({ cell }) => dirty.delete(cell)), 0); return; }
    at.setAttribute("aria-invalid", "true");
    at.title = body.detail;
    dirty.delete(at);
    if (body.code === "reading-changed-meanwhile" && body.current) {
      at.dataset.revision = body.current.revision;
      at.dataset.saved = body.current.value ?? "";
    }
    at.focus();
  }

  function restore(cell) {
    cell.value = cell.dataset.saved;
    dirty.delete(cell);
    clear(cell);
    say(words.kept, "");
  }

  function clear(cell) {
    cell.removeAttribute("aria-invalid");
    cell.removeAttribute("title");
  }

  function say(text, kind) {
    state.textContent = text;
    state.className = `save-state ${kind}`;
  }

  function askReason(changed) {
    const dialog = document.querySelector("dialog[data-reason]");
    dialog.querySelector("[data-changes]").textContent = changed
      .map((c) => `${c.getAttribute("aria-label")}: ${c.dataset.saved || "–"} → ${c.value.trim() || "–"}`).join("\n");
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((done) => {
      dialog.addEventListener("close", () => {
        const typed = dialog.querySelector("input[name=other]").value.trim();
        done(dialog.returnValue === "other" ? typed : dialog.returnValue);
      }, { once: true });
    });
  }
}
