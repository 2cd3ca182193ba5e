// Finds a QR code in a picture and reads it (ISO/IEC 18004, model 2): for browsers that cannot. The
// picture is made black and white, three finders are looked for, the grid between them is sampled.

import { readGrid } from "./qr-grid.js";

const MOST_FINDERS = 14;
const SHARES = [1, 1, 3, 1, 1]; // of black and white across a finder, in modules
const DIAGONALS = [[Math.SQRT1_2, Math.SQRT1_2], [Math.SQRT1_2, -Math.SQRT1_2]];

/** The text of the first code in a picture of pixels (ImageData); null when there is none. */
export function readCode({ data, width, height }) {
  const gray = new Uint8Array(width * height);
  for (let n = 0; n < gray.length; n++) {
    gray[n] = (data[4 * n] * 77 + data[4 * n + 1] * 150 + data[4 * n + 2] * 29) >> 8;
  }
  for (const share of [8, 24]) {
    const picture = blackened(gray, width, height, share);
    for (const triple of triples(findersIn(picture))) {
      const text = readBetween(picture, triple);
      if (text !== null) return text;
    }
  }
  return null;
}

/** Black is what is darker than its surroundings, so that shadows do no harm. */
function blackened(gray, width, height, share) {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += gray[y * width + x];
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  const reach = Math.max(8, Math.round(Math.max(width, height) / share));
  const black = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - reach), Math.min(height, y + reach + 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - reach), Math.min(width, x + reach + 1)];
      const sum = sums[bottom * (width + 1) + right] - sums[top * (width + 1) + right]
        - sums[bottom * (width + 1) + left] + sums[top * (width + 1) + left];
      black[y * width + x] = gray[y * width + x] * (bottom - top) * (right - left) < sum * 0.92 ? 1 : 0;
    }
  }
  const at = (x, y) => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    return column >= 0 && row >= 0 && column < width && row < height ? black[row * width + column] : 0;
  };
  return { at, width, height };
}

// --------------------------------------------------------------------------------------- finders

/** Places where black and white run 1:1:3:1:1 both ways, each with the size of its modules. */
function findersIn(picture) {
  const found = [];
  for (let y = 0; y < picture.height; y++) {
    let runs = [];
    let start = 0;
    for (let x = 1; x <= picture.width; x++) {
      if (x < picture.width && picture.at(x, y) === picture.at(x - 1, y)) continue;
      runs.push(x - start);
      start = x;
      const isBlack = picture.at(x - 1, y) === 1;
      if (runs.length > 5) runs = runs.slice(-5);
      if (isBlack && runs.length === 5 && isFinder(runs)) {
        note(found, picture, x - runs[4] - runs[3] - runs[2] / 2, y + 0.5);
      }
    }
  }
  // likely is what was seen on all three rows of modules, and runs evenly
  const doubt = (one) => one.fault - Math.min(1, one.seen / (3 * one.module));
  const often = found.filter((one) => one.seen > 1);
  return often.sort((a, b) => doubt(a) - doubt(b)).slice(0, MOST_FINDERS);
}

function isFinder(runs) {
  const module = runs.reduce((sum, run) => sum + run, 0) / 7;
  return module >= 1 && SHARES.every((share, n) => Math.abs(runs[n] - share * module) < share * module * 0.6 + 0.4);
}

function note(found, picture, x, y) {
  const down = through(picture, x, y, 0, 1);
  const across = down && through(picture, x, y + down.shift, 1, 0);
  if (!across) return;
  // data may look like a finder along rows and columns; along a diagonal as well it seldom does
  const slopes = DIAGONALS.map(([dx, dy]) => through(picture, x + across.shift, y + down.shift, dx, dy)?.fault ?? 9);
  const fault = down.fault + across.fault + Math.min(...slopes);
  if (fault > 9) return;
  const one = { fault, x: x + across.shift, y: y + down.shift, module: (down.length + across.length) / 14, seen: 1 };
  const known = found.find((other) => Math.hypot(other.x - one.x, other.y - one.y) < 2 * one.module);
  if (!known) { found.push(one); return; }
  for (const part of ["x", "y", "module", "fault"]) known[part] = (known[part] * known.seen + one[part]) / (known.seen + 1);
  known.seen += 1;
}

/** The five runs through a place in one direction: how long they are, and how far off their middle. */
function through(picture, x, y, dx, dy) {
  const arm = (way) => {
    const runs = [];
    let at = way > 0 ? 1 : 0;
    for (const colour of [1, 0, 1]) {
      const from = at;
      while (at < 400 && picture.at(x + way * at * dx, y + way * at * dy) === colour
        && isInside(picture, x + way * at * dx, y + way * at * dy)) at += 1;
      runs.push(at - from);
    }
    return runs;
  };
  const [back, on] = [arm(-1), arm(1)];
  const runs = [back[2], back[1], back[0] + on[0], on[1], on[2]];
  if (!isFinder(runs)) return null;
  const length = runs.reduce((sum, run) => sum + run, 0);
  const fault = runs.reduce((sum, run, n) => sum + Math.abs(run * 7 / length - SHARES[n]), 0);
  return { length, fault, shift: (on[0] + 1 - back[0]) / 2 };
}

const isInside = ({ width, height }, x, y) => x >= 0 && y >= 0 && x < width && y < height;

/** Three finders that may belong to one code, the likeliest first: [corner, right, below]. */
function* triples(finders) {
  const found = [];
  for (const corner of finders) {
    for (const right of finders) {
      for (const below of finders) {
        const [a, b] = [vector(corner, right), vector(corner, below)];
        const turn = a.x * b.y - a.y * b.x; // positive: the second lies clockwise of the first
        if (new Set([corner, right, below]).size < 3 || turn <= 0) continue;
        const [long, short] = [Math.max(a.length, b.length), Math.min(a.length, b.length)];
        const skew = Math.abs(a.x * b.x + a.y * b.y) / (a.length * b.length);
        const modules = [corner.module, right.module, below.module];
        const uneven = Math.max(...modules) / Math.min(...modules) - 1;
        if (short < 8 * corner.module || skew > 0.4 || long > 1.6 * short || uneven > 0.8) continue;
        found.push({ corner, right, below, fault: skew + (long / short - 1) + uneven });
      }
    }
  }
  yield* found.sort((a, b) => a.fault - b.fault).slice(0, 8);
}

const vector = (from, to) => ({ x: to.x - from.x, y: to.y - from.y, length: Math.hypot(to.x - from.x, to.y - from.y) });

// ------------------------------------------------------------------------------------------ grid

function readBetween(picture, { corner, right, below }) {
  const module = moduleOf(picture, [[corner, right], [right, corner], [corner, below], [below, corner]]);
  const across = (vector(corner, right).length + vector(corner, below).length) / 2;
  const guess = Math.round((across / module + 7 - 17) / 4);
  for (const off of [0, 1, -1, 2, -2, 3, -3]) {
    const version = guess + off;
    if (version < 1 || version > 40) continue;
    const size = version * 4 + 17;
    for (const fourth of fourths(picture, { corner, right, below }, size)) {
      const place = placesOf(size, corner, right, below, fourth);
      const grid = Array.from({ length: size }, (_, row) => Array.from({ length: size }, (__, column) => {
        const { x, y } = place(column + 0.5, row + 0.5);
        return picture.at(x, y);
      }));
      const text = readGrid(grid, version);
      if (text !== null) return text;
    }
  }
  return null;
}

/** The size of a module along the sides: along the rows of the picture a turned one looks larger. */
function moduleOf(picture, sides) {
  const sizes = sides.map(([from, to]) => {
    const { x, y, length } = vector(from, to);
    return through(picture, from.x, from.y, x / length, y / length)?.length / 7;
  }).filter((size) => size > 0);
  const known = sizes.length ? sizes : sides.map(([from]) => from.module);
  return known.reduce((sum, size) => sum + size, 0) / known.length;
}

/** Where the fourth point may lie: the alignment pattern where it is seen, else a parallelogram. */
function* fourths(picture, { corner, right, below }, size) {
  const span = size - 7;
  const step = (of) => ({ x: (of.x - corner.x) / span, y: (of.y - corner.y) / span });
  const [i, j] = [step(right), step(below)];
  const flat = { x: right.x + below.x - corner.x, y: right.y + below.y - corner.y, at: size - 3.5 };
  if (size > 21) {
    const near = { x: flat.x - 3 * (i.x + j.x), y: flat.y - 3 * (i.y + j.y) };
    yield* alignments(picture, near, i, j).map((one) => ({ ...one, at: size - 6.5 }));
  }
  yield flat;
}

/** Places near a point that look like black within white within black, the likest first. */
function alignments(picture, near, i, j) {
  const found = [];
  const reach = 11;
  for (let v = -reach; v <= reach; v += 0.4) {
    for (let u = -reach; u <= reach; u += 0.4) {
      const [x, y] = [near.x + u * i.x + v * j.x, near.y + u * i.y + v * j.y];
      let right = 0;
      for (let b = -2; b <= 2; b++) {
        for (let a = -2; a <= 2; a++) {
          const expected = Math.max(Math.abs(a), Math.abs(b)) === 1 ? 0 : 1;
          if (picture.at(x + a * i.x + b * j.x, y + a * i.y + b * j.y) === expected) right += 1;
        }
      }
      if (right > 22) found.push({ x, y, right, far: Math.hypot(u, v) });
    }
  }
  return settled(found, Math.hypot(i.x, i.y)).slice(0, 6);
}

/** Neighbouring hits are one pattern, whose middle is the middle of the best hits. */
function settled(found, module) {
  const groups = [];
  for (const one of found.sort((a, b) => b.right - a.right || a.far - b.far)) {
    const group = groups.find(([first]) => Math.hypot(first.x - one.x, first.y - one.y) < 1.2 * module);
    if (!group) groups.push([one]); else if (one.right === group[0].right) group.push(one);
  }
  const middle = (group, part) => group.reduce((sum, one) => sum + one[part], 0) / group.length;
  return groups.map((group) => ({ x: middle(group, "x"), y: middle(group, "y") }));
}

/** Where a place of the grid lies in the picture, seen in perspective. */
function placesOf(size, corner, right, below, fourth) {
  const from = [[3.5, 3.5], [size - 3.5, 3.5], [3.5, size - 3.5], [fourth.at, fourth.at]];
  const to = [corner, right, below, fourth];
  const rows = from.flatMap(([u, v], n) => [
    [u, v, 1, 0, 0, 0, -u * to[n].x, -v * to[n].x, to[n].x],
    [0, 0, 0, u, v, 1, -u * to[n].y, -v * to[n].y, to[n].y],
  ]);
  const [a, b, c, d, e, f, g, h] = solved(rows);
  return (u, v) => {
    const depth = g * u + h * v + 1;
    return { x: (a * u + b * v + c) / depth, y: (d * u + e * v + f) / depth };
  };
}

/** The solution of linear equations, by elimination. */
function solved(rows) {
  const count = rows.length;
  for (let n = 0; n < count; n++) {
    const best = rows.slice(n).reduce((most, row, k) => (Math.abs(row[n]) > Math.abs(rows[most][n]) ? n + k : most), n);
    [rows[n], rows[best]] = [rows[best], rows[n]];
    for (let k = 0; k < count; k++) {
      if (k === n || !rows[k][n]) continue;
      const share = rows[k][n] / rows[n][n];
      for (let m = n; m <= count; m++) rows[k][m] -= share * rows[n][m];
    }
  }
  return rows.map((row, n) => row[count] / row[n]);
}
