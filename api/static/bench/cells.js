// The cells of the grid: where they stand, how keys move between them, what a pasted block fills.
// A cell belongs to one record, or to several that share the reading of a standard.

export function cellsOf(form) {
  const all = [...form.querySelectorAll("input[data-cell]")];
  const byPlace = new Map();
  for (const cell of all) {
    const { targets, revision, saved } = cell.dataset;
    cell.targets = targets
      ? JSON.parse(targets).map(([record, rev, value]) => ({ record, revision: rev, saved: value, apart: value !== cell.value }))
      : [{ record: Number(form.dataset.record), revision: Number(revision), saved, apart: false }];
    cell.place = placeOf(cell.dataset, 0, 0);
    byPlace.set(cell.place, cell);
  }
  return { all, byPlace };
}

function placeOf({ table, row, column }, down, right) {
  return `${table} ${Number(row) + down} ${Number(column) + right}`;
}

export function pending(cell) {
  const value = cell.value.trim();
  return cell.targets.filter((one) => !one.apart && (one.saved !== value || one.otherStandard));
}

export function movement(form, { byPlace }, { copyAbove, restore, leave }) {
  const neighbour = (cell, [down, right]) => byPlace.get(placeOf(cell.dataset, down, right));

  form.addEventListener("keydown", (event) => {
    const cell = event.target;
    if (!cell.matches("input[data-cell]") || event.isComposing) return;
    if (event.altKey) { jump(event, cell); return; }
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== "d") return;
      event.preventDefault();
      const above = neighbour(cell, [-1, 0]);
      if (above) copyAbove(cell, above.value.trim());
      return;
    }
    if (event.key === "Escape") { restore(cell); return; }
    const back = event.shiftKey ? -1 : 1;
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [back, 0] }[event.key]
      || (atEdge(event) && { ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key]);
    if (!step) return;
    event.preventDefault();
    const beside = neighbour(cell, step);
    const stays = event.key !== "Enter" || beside?.closest("tbody") === cell.closest("tbody");
    const next = stays ? beside : topOfNext(cell, back);
    if (next) next.focus(); else if (event.key === "Enter") { leave(cell); cell.blur(); }
  });

  form.addEventListener("focusin", (event) => {
    if (event.target.matches("input[data-cell]")) event.target.select();
  });

  // After the last row Enter goes on at the top of the next column, then of the next block.
  function topOfNext(cell, direction) {
    const side = neighbour(cell, [0, direction]);
    const body = cell.closest("tbody");
    if (!side) return firstOf(nextBody(body, direction), direction);
    const column = [...body.querySelectorAll("input[data-cell]")]
      .filter((c) => c.dataset.column === side.dataset.column);
    return direction > 0 ? column[0] : column.at(-1);
  }

  // Alt and an arrow: the same column at the next point, or the next block where rows are points.
  function jump(event, cell) {
    const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const body = nextBody(cell.closest("tbody"), direction);
    const same = body && [...body.querySelectorAll("input[data-cell]")].find((c) => c.dataset.column === cell.dataset.column);
    (same || firstOf(body, 1) || neighbour(cell, [direction, 0]))?.focus();
  }

  function nextBody(body, direction) {
    const bodies = [...form.querySelectorAll("tbody")].filter((one) => one.querySelector("input[data-cell]"));
    return bodies[bodies.indexOf(body) + direction];
  }

  function firstOf(body, direction) {
    const inside = [...(body?.querySelectorAll("input[data-cell]") ?? [])];
    return (direction > 0 ? inside[0] : inside.at(-1)) ?? null;
  }

  function atEdge(event) {
    const cell = event.target;
    const all = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
    if (event.key === "ArrowLeft") return all || cell.selectionEnd === 0;
    return all || cell.selectionStart === cell.value.length;
  }
}

// Lay rows of texts on the grid from a cell on; returns what was put where, and whether all fitted.
export function lay({ byPlace }, first, rows, put) {
  const placed = [];
  let fitted = true;
  rows.forEach((values, down) => values.forEach((value, right) => {
    const cell = byPlace.get(placeOf(first.dataset, down, right));
    if (!cell || cell.readOnly) { fitted = fitted && !value.trim(); return; }
    placed.push({ cell, before: cell.value });
    put(cell, value.trim());
  }));
  return { placed, fitted };
}
