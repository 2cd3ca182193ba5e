// From the modules of a QR code to its text (ISO/IEC 18004): format, mask, codewords, segments.

import { corrected } from "./reed-solomon.js";

// by level L, M, Q, H and version: check codewords of a block, and blocks (table 9 of the standard)
const CHECKS = [
  [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
  [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30, 28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
  [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28, 30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
];
const BLOCKS = [
  [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
  [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
  [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20, 23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
  [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25, 25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
];
const LEVELS = [1, 0, 3, 2]; // the two bits of the format say M, L, H, Q
const MASKS = [
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2, (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** The text that a grid of modules says; null when it says none. */
export function readGrid(grid, version) {
  for (const { level, mask } of formatsOf(grid)) {
    const data = dataOf(codewordsOf(grid, version, mask), version, level);
    const text = data && textOf(data, version);
    if (text !== null && text !== undefined) return text;
  }
  return null;
}

/** The format that stands in two places, with up to three bits wrong. */
function formatsOf(grid) {
  const size = grid.length;
  const copies = [
    [...[0, 1, 2, 3, 4, 5, 7, 8].map((x) => grid[8][x]), ...[7, 5, 4, 3, 2, 1, 0].map((y) => grid[y][8])],
    [...[1, 2, 3, 4, 5, 6, 7].map((n) => grid[size - n][8]), ...[8, 7, 6, 5, 4, 3, 2, 1].map((n) => grid[8][size - n])],
  ];
  const read = copies.map((bits) => bits.reduce((sum, bit) => (sum << 1) | bit, 0));
  const near = Array.from({ length: 32 }, (_, data) => ({
    level: LEVELS[data >> 3], mask: data & 7, off: Math.min(...read.map((bits) => weight(bits ^ formatBits(data)))),
  }));
  return near.filter((one) => one.off <= 3).sort((a, b) => a.off - b.off).slice(0, 2);
}

function formatBits(data) {
  let rest = data << 10;
  for (let bit = 14; bit >= 10; bit--) if (rest & (1 << bit)) rest ^= 0x537 << (bit - 10);
  return ((data << 10) | rest) ^ 0x5412;
}

const weight = (bits) => bits.toString(2).replaceAll("0", "").length;

function alignmentsOf(version) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, n) => version * 4 + 10 - (count - 2 - n) * step)];
}

/** Which modules carry no data: finders, timing, alignment, format and version. */
function fixedOf(version) {
  const size = version * 4 + 17;
  const fixed = Array.from({ length: size }, () => new Uint8Array(size));
  const fill = (x, y, width, height) => {
    for (let row = y; row < y + height; row++) fixed[row].fill(1, x, x + width);
  };
  [[0, 0, 9, 9], [size - 8, 0, 8, 9], [0, size - 8, 9, 8], [6, 0, 1, size], [0, 6, size, 1]].forEach((one) => fill(...one));
  const places = alignmentsOf(version);
  const last = places.at(-1);
  for (const x of places) {
    for (const y of places) {
      const isFinder = (x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6);
      if (!isFinder) fill(x - 2, y - 2, 5, 5);
    }
  }
  if (version >= 7) { fill(size - 11, 0, 3, 6); fill(0, size - 11, 6, 3); }
  return fixed;
}

/** The codewords in the order in which they wind through the grid. */
function codewordsOf(grid, version, mask) {
  const size = grid.length;
  const fixed = fixedOf(version);
  const bits = [];
  for (let column = size - 1; column > 0; column -= 2) {
    if (column === 6) column = 5; // the timing column carries nothing
    const isUp = ((column + 1) & 2) === 0;
    for (let n = 0; n < size; n++) {
      const y = isUp ? size - 1 - n : n;
      for (const x of [column, column - 1]) {
        if (!fixed[y][x]) bits.push(grid[y][x] ^ (MASKS[mask](x, y) === 0 ? 1 : 0));
      }
    }
  }
  return Uint8Array.from({ length: bits.length >> 3 }, (_, n) =>
    bits.slice(n * 8, n * 8 + 8).reduce((sum, bit) => (sum << 1) | bit, 0));
}

/** The data of all blocks, each corrected; null when one has too many faults. */
function dataOf(codewords, version, level) {
  const [checks, count] = [CHECKS[level][version - 1], BLOCKS[level][version - 1]];
  const short = Math.floor(codewords.length / count);
  const shorter = count - (codewords.length % count);
  const blocks = Array.from({ length: count }, () => []);
  let at = 0;
  for (let n = 0; n <= short; n++) {
    for (let block = 0; block < count; block++) {
      // the longer blocks have one more data codeword, before the checks of all
      if (n === short - checks && block < shorter) continue;
      if (at < codewords.length) blocks[block].push(codewords[at++]);
    }
  }
  const read = blocks.map((block) => corrected(Uint8Array.from(block), checks));
  if (read.some((block) => block === null)) return null;
  return Uint8Array.from(read.flatMap((block) => [...block.slice(0, block.length - checks)]));
}

/** The segments as text; null for a mode that no address needs. */
function textOf(data, version) {
  let at = 0;
  const left = () => data.length * 8 - at;
  const take = (count) => {
    let found = 0;
    for (let n = 0; n < count; n++, at++) found = found * 2 + ((data[at >> 3] >> (7 - (at & 7))) & 1);
    return found;
  };
  const wide = version < 10 ? 0 : version < 27 ? 1 : 2;
  const bytes = [];
  const add = (text) => bytes.push(...new TextEncoder().encode(text));
  while (left() >= 4) {
    const mode = take(4);
    if (mode === 0) break;
    if (mode === 4) {
      for (let count = take([8, 16, 16][wide]); count > 0 && left() >= 8; count--) bytes.push(take(8));
    } else if (mode === 2) {
      add(letters(take([9, 11, 13][wide]), take));
    } else if (mode === 1) {
      add(digits(take([10, 12, 14][wide]), take));
    } else if (mode === 7) {
      take(8); // the character set: UTF-8 or ASCII, or it is no code of ours
    } else {
      return null;
    }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return null;
  }
}

function letters(count, take) {
  let text = "";
  for (let left = count; left > 0; left -= 2) {
    const value = take(left > 1 ? 11 : 6);
    text += left > 1 ? LETTERS[Math.floor(value / 45)] + LETTERS[value % 45] : LETTERS[value];
  }
  return text;
}

function digits(count, take) {
  let text = "";
  for (let left = count; left > 0; left -= 3) {
    const width = Math.min(left, 3);
    text += String(take([0, 4, 7, 10][width])).padStart(width, "0");
  }
  return text;
}
