// The entry grid of the bench: keyboard, paste from a spreadsheet, autosave, conflicts shown.
// Without this script the same form is sent by its button; nothing here computes a number.

const WAIT = 700; // ms after the last key before what was typed is sent
const AGAIN = 5000; // ms before a save that did not arrive is tried again
const LOOK = 20000; // ms between looks at what a colleague entered

const grid = document.querySelector("form[data-grid]");
if (grid) start(grid);

function start(form) {
  const cells = [...form.querySelectorAll("input[data-cell]")];
  const byKey = new Map(cells.map((cell) => [cell.dataset.key, cell]));
  const byPlace = new Map(cells.map((cell) => [placeOf(cell.dataset), cell]));
  const state = form.querySelector("[data-save-state]");
  const problems = form.querySelector("[data-cell-problems]");
  const livePanel = document.querySelector("[data-live]");
  const words = JSON.parse(form.dataset.words);
  const dirty = new Set();
  const refused = new Set();
  let timer = 0;
  let saving = null;

  form.querySelector("[data-without-script]")?.remove();
  form.querySelectorAll("[hidden]").forEach((part) => { part.hidden = false; });
  cells.forEach((cell) => { if (cell.value.trim() !== cell.dataset.saved) touched(cell); });

  // ------------------------------------------------------------------------------- keys and paste

  form.addEventListener("keydown", (event) => {
    const cell = event.target;
    if (!cell.matches("input[data-cell]") || event.isComposing || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d") {
      event.preventDefault();
      copyAbove(cell);
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    const back = event.shiftKey ? -1 : 1;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [back, 0] }[event.key]
      || (atEdge(event) && { ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key]);
    if (event.key === "Escape") { restore(cell); return; }
    if (!step) return;
    event.preventDefault();
    const beside = neighbour(cell, step);
    const stays = event.key !== "Enter" || beside?.closest("tbody") === cell.closest("tbody");
    const next = stays ? beside : topOfNext(cell, back);
    if (next) next.focus(); else if (event.key === "Enter") cell.blur();
  });

  form.addEventListener("focusin", (event) => {
    if (event.target.matches("input[data-cell]")) event.target.select();
  });

  form.addEventListener("paste", (event) => {
    if (!event.target.matches("input[data-cell]")) return;
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n+$/, "");
    if (!/[\t\n]/.test(text)) return;
    event.preventDefault();
    const rows = text.split("\n").map((line) => line.split("\t"));
    const [count, fitted] = fill(event.target, rows);
    problems.querySelector("[data-paste]")?.remove();
    if (fitted) say(words.pasted.replace("{count}", count), ""); else tell(words.tooLarge);
    schedule(0);
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-down]");
    if (!button) return;
    const { table, copyDown } = button.dataset;
    const column = cells.filter((c) => c.dataset.table === table && c.dataset.column === copyDown);
    const value = column[0].value.trim();
    if (!value) { column[0].focus(); return; }
    column.slice(1).filter((c) => !c.value.trim()).forEach((c) => put(c, value));
    schedule(0);
  });

  form.addEventListener("input", (event) => {
    if (event.target.matches("input[data-cell]")) touched(event.target);
  });
  form.addEventListener("change", (event) => {
    if (!event.target.matches("select[data-standard]")) return;
    const row = event.target.closest("tr");
    row.querySelectorAll("input[data-cell].by-row").forEach((cell) => {
      if (cell.value.trim()) { cell.dataset.standardChanged = "1"; dirty.add(cell); }
    });
    schedule(0);
  });
  form.addEventListener("focusout", () => { if (dirty.size) schedule(50); });
  form.addEventListener("submit", (event) => { event.preventDefault(); schedule(0); });
  window.addEventListener("beforeunload", (event) => { if (dirty.size) event.preventDefault(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  setInterval(() => { if (!document.hidden) look(); }, LOOK);

  // Another form of the page waits until what was typed is safe.
  document.addEventListener("submit", async (event) => {
    if (event.target === form || event.target.method === "dialog" || !dirty.size) return;
    event.preventDefault();
    const { target, submitter } = event;
    await save();
    if (!dirty.size) target.requestSubmit(submitter);
  });

  function placeOf({ table, row, column }) { return `${table} ${row} ${column}`; }

  function atEdge(event) {
    const cell = event.target;
    const all = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
    if (event.key === "ArrowLeft") return all || cell.selectionEnd === 0;
    return all || cell.selectionStart === cell.value.length;
  }

  function neighbour(cell, [down, right]) {
    const { table, row, column } = cell.dataset;
    return byPlace.get(placeOf({ table, row: Number(row) + down, column: Number(column) + right }));
  }

  // After the last row Enter goes on at the top of the next column of the same block.
  function topOfNext(cell, direction) {
    const side = neighbour(cell, [0, direction]);
    if (!side) return null;
    const column = [...cell.closest("tbody").querySelectorAll("input[data-cell]")]
      .filter((c) => c.dataset.column === side.dataset.column);
    return direction > 0 ? column[0] : column.at(-1);
  }

  function copyAbove(cell) {
    const above = neighbour(cell, [-1, 0]);
    if (above) put(cell, above.value.trim());
  }

  function fill(first, rows) {
    let count = 0;
    let fitted = true;
    rows.forEach((values, down) => values.forEach((value, right) => {
      const cell = neighbour(first, [down, right]);
      if (!cell) { fitted = fitted && !value.trim(); return; }
      put(cell, value.trim());
      count += 1;
    }));
    return [count, fitted];
  }

  function put(cell, value) {
    if (cell.readOnly) return;
    cell.value = value;
    touched(cell);
  }

  function touched(cell) {
    refused.delete(cell);
    clear(cell);
    if (cell.value.trim() === cell.dataset.saved && !cell.dataset.standardChanged) {
      dirty.delete(cell);
      cell.classList.remove("dirty");
      if (!dirty.size) say("", "");
      return;
    }
    dirty.add(cell);
    cell.classList.add("dirty");
    say(words.unsaved, "");
    schedule(WAIT);
  }

  // ------------------------------------------------------------------------------------- saving

  function schedule(wait) {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
  }

  function save() {
    saving = saving || sendAll().finally(() => { saving = null; });
    return saving;
  }

  async function sendAll() {
    const waiting = [...dirty].filter((cell) => !refused.has(cell));
    const first = waiting.filter((cell) => cell.dataset.revision === "0");
    const changed = waiting.filter((cell) => cell.dataset.revision !== "0");
    first.filter((cell) => !cell.value.trim()).forEach((cell) => settle(cell));
    let batch = first.filter((cell) => cell.value.trim());
    let reason = "";
    // who is still typing a correction is asked on leaving the cell, not in the middle of it
    if (changed.length && !changed.includes(document.activeElement)) {
      reason = await askReason(changed);
      if (reason) batch = [...batch, ...changed]; else changed.forEach(restore);
    }
    if (batch.length) await send(batch, reason);
  }

  async function send(batch, reason) {
    say(words.saving, "");
    const sent = batch.map((cell) => ({ cell, value: cell.value.trim() }));
    const body = JSON.stringify({ entries: sent.map(({ cell, value }) => entry(cell, value, reason)) });
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    try {
      const answer = await fetch(form.action, { method: "POST", headers, body, keepalive: body.length < 60000 });
      if (answer.status === 401) throw new Error(words.signedOut);
      const said = await answer.json();
      if (answer.ok) accept(sent, said); else refuse(sent, said);
      if ([...dirty].some((cell) => !refused.has(cell) && cell !== document.activeElement)) schedule(WAIT);
    } catch (fault) {
      say(fault.message === words.signedOut ? words.signedOut : words.offline, "error");
      schedule(AGAIN);
    }
  }

  function entry(cell, value, reason) {
    const [measurand, stage, piece, point, input, place] = cell.dataset.key.split("/");
    const standard = cell.closest("tr").querySelector("select[data-standard]");
    return {
      measurand, stage, piece: Number(piece), point, input, place: Number(place),
      revision: Number(cell.dataset.revision), value: value === "" ? null : value,
      reason: cell.dataset.revision === "0" ? "" : reason,
      standard_certificate_id: standard && cell.classList.contains("by-row") ? Number(standard.value) : null,
    };
  }

  function accept(sent, said) {
    sent.forEach(({ cell, value }, i) => {
      if (cell.dataset.revision !== "0" && Number(cell.dataset.revision) !== said.readings[i].revision) {
        cell.classList.add("corrected");
      }
      stand(cell, said.readings[i].revision, value);
      if (cell.value.trim() === value) settle(cell);
    });
    if (dirty.size) say(words.unsaved, ""); else say(`${words.saved} ${said.at}`, "good");
    show(said);
  }

  function refuse(sent, said) {
    const named = (said.findings || []).filter((found) => /^\/entries\/\d+/.test(found.at));
    // what is said beside a cell is not said twice
    say(named.length ? words.refused : `${words.refused}: ${said.detail || ""}`, "error");
    if (!named.length) { sent.forEach(({ cell }) => refused.add(cell)); return; }
    named.forEach((found) => {
      const { cell, value } = sent[Number(found.at.split("/")[2])];
      const theirs = said.cells?.[cell.dataset.key];
      refused.add(cell);
      if (found.code === "reading-changed-meanwhile" && theirs) clash(cell, value, theirs);
      else complain(cell, found.message, found.suggestion && [[words.use.replace("{value}", found.suggestion), () => put(cell, found.suggestion)]]);
    });
  }

  function clash(cell, mine, theirs) {
    const said = words.theirs.replace("{name}", theirs.by)
      .replace("{value}", theirs.value || words.nothing).replace("{mine}", mine || words.nothing);
    stand(cell, theirs.revision, theirs.value);
    complain(cell, said, [
      [words.takeTheirs, () => { cell.value = theirs.value; touched(cell); look(); }],
      [words.keepMine, () => { cell.value = mine; touched(cell); schedule(0); }],
    ], "conflict");
  }

  function complain(cell, text, choices, kind) {
    clear(cell);
    const line = document.createElement("li");
    line.id = `problem-${cell.dataset.key}`;
    if (kind) line.className = kind;
    const name = document.createElement("strong");
    name.textContent = `${cell.getAttribute("aria-label")}: `;
    line.append(name, text);
    const row = document.createElement("div");
    (choices || []).forEach(([label, act]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "second";
      button.textContent = label;
      button.addEventListener("click", () => { act(); schedule(0); });
      row.append(button);
    });
    if (row.children.length) line.append(row);
    problems.append(line);
    cell.setAttribute("aria-invalid", "true");
    cell.setAttribute("aria-describedby", line.id);
  }

  function tell(text) {
    const line = document.createElement("li");
    line.dataset.paste = "";
    line.setAttribute("role", "alert");
    line.textContent = text;
    problems.append(line);
  }

  // ------------------------------------------------------------------------ what the server says

  async function look() {
    if (saving) return;
    try {
      const answer = await fetch(form.dataset.liveAddress, { headers: { Accept: "application/json" } });
      if (answer.ok && !saving) show(await answer.json());
    } catch { /* the next look or save says it */ }
  }

  function show(said) {
    cells.forEach((cell) => {
      const now = said.cells[cell.dataset.key];
      if (now && !dirty.has(cell) && Number(cell.dataset.revision) < now.revision) {
        cell.value = now.value;
        stand(cell, now.revision, now.value);
        cell.classList.add("by-other");
      }
      cell.classList.toggle("suspect", Boolean(now?.suspect));
      cell.title = now?.suspect || now?.by || "";
    });
    if (livePanel && said.live !== undefined && !livePanel.querySelector("details[open] form")?.contains(document.activeElement)) {
      livePanel.innerHTML = said.live; // rendered and escaped by the server
    }
  }

  function stand(cell, revision, value) {
    cell.dataset.revision = revision;
    cell.dataset.saved = value ?? "";
    delete cell.dataset.standardChanged;
    cell.name = `v/${cell.dataset.key}/${revision}`;
  }

  function settle(cell) {
    dirty.delete(cell);
    refused.delete(cell);
    cell.classList.remove("dirty");
    clear(cell);
  }

  function restore(cell) {
    if (!dirty.has(cell)) return;
    cell.value = cell.dataset.saved;
    delete cell.dataset.standardChanged;
    settle(cell);
    say(words.kept, "");
  }

  function clear(cell) {
    cell.removeAttribute("aria-invalid");
    cell.removeAttribute("aria-describedby");
    document.getElementById(`problem-${cell.dataset.key}`)?.remove();
  }

  function say(text, kind) {
    state.textContent = text;
    state.className = `save-state ${kind}`;
  }

  function askReason(changed) {
    const dialog = document.querySelector("dialog[data-reason]");
    const other = dialog.querySelector("input[name=other]");
    dialog.querySelector("[data-changes]").textContent = changed
      .map((c) => `${c.getAttribute("aria-label")}: ${c.dataset.saved || "–"} → ${c.value.trim() || "–"}`).join("\n");
    dialog.returnValue = "";
    other.value = "";
    dialog.showModal();
    return new Promise((done) => {
      dialog.addEventListener("close", () => {
        done(dialog.returnValue === "other" ? other.value.trim() : dialog.returnValue);
      }, { once: true });
    });
  }
}
