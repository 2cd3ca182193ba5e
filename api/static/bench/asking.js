// What the grid says: state of saving, lines about a cell with choices, the reason of a change.

export function speaker(form, words) {
  const state = form.querySelector("[data-save-state]");
  const problems = form.querySelector("[data-cell-problems]");

  function say(text, kind = "") {
    state.textContent = text;
    state.className = `save-state ${kind}`;
  }

  function idOf(cell, target) {
    return `said-${cell.place}${target ? `-${target.record}` : ""}`.replaceAll(" ", "-");
  }

  function complain(cell, target, text, choices = [], kind = "") {
    document.getElementById(idOf(cell, target))?.remove();
    const line = lineOf(text, choices, kind);
    line.id = idOf(cell, target);
    line.dataset.of = cell.place;
    const name = document.createElement("strong");
    name.textContent = `${cell.getAttribute("aria-label")}: `;
    line.prepend(name);
    problems.append(line);
    cell.setAttribute("aria-invalid", "true");
    cell.setAttribute("aria-describedby", line.id);
  }

  function lineOf(text, choices, kind) {
    const line = document.createElement("li");
    if (kind) line.className = kind;
    line.append(text);
    const row = document.createElement("div");
    choices.forEach(([label, act]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "second";
      button.textContent = label;
      button.addEventListener("click", act);
      row.append(button);
    });
    if (row.children.length) line.append(row);
    return line;
  }

  // One line about several cells at once; `name` keeps it from standing there twice.
  function tell(name, text, choices = [], kind = "") {
    hush(name);
    if (!text) return;
    const line = lineOf(text, choices, kind);
    line.dataset.told = name;
    line.setAttribute("role", "alert");
    problems.prepend(line);
  }

  function hush(name) { problems.querySelector(`[data-told="${name}"]`)?.remove(); }

  function clear(cell) {
    problems.querySelectorAll(`[data-of="${CSS.escape(cell.place)}"]`).forEach((line) => line.remove());
    document.getElementById(`problem-${cell.dataset.key}`)?.remove();
    cell.removeAttribute("aria-invalid");
    cell.removeAttribute("aria-describedby");
  }

  function askReason(changes) {
    const dialog = document.querySelector("dialog[data-reason]");
    const other = dialog.querySelector("input[name=other]");
    dialog.querySelector("[data-changes]").textContent = changes.join("\n");
    dialog.returnValue = "";
    other.value = "";
    dialog.showModal();
    return new Promise((done) => {
      dialog.addEventListener("close", () => {
        done(dialog.returnValue === "other" ? other.value.trim() : dialog.returnValue);
      }, { once: true });
    });
  }

  return { say, complain, tell, hush, clear, askReason, words };
}

// The bubble beside the cell one types in: how it will be taken.
export function bubbleBeside(form) {
  const bubble = document.createElement("output");
  bubble.className = "reads";
  bubble.hidden = true;
  form.append(bubble);
  return {
    show(cell, text, kind) {
      bubble.textContent = text;
      bubble.className = `reads ${kind}`;
      bubble.hidden = false;
      const at = cell.getBoundingClientRect();
      bubble.style.left = `${Math.max(4, Math.min(at.left, innerWidth - bubble.offsetWidth - 4))}px`;
      bubble.style.top = `${at.bottom + 4}px`;
    },
    hide() { bubble.hidden = true; },
  };
}
