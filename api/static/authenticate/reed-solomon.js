// Reed-Solomon codes over 256 elements, as QR codes use them: syndromes, Berlekamp and Massey, the
// search of Chien, the values of Forney.

const POWERS = new Uint8Array(510);
const LOGS = new Uint8Array(256);
for (let n = 0, value = 1; n < 255; n++) {
  POWERS[n] = POWERS[n + 255] = value;
  LOGS[value] = n;
  value = value & 128 ? (value << 1) ^ 0x11d : value << 1;
}

const times = (a, b) => (a && b ? POWERS[LOGS[a] + LOGS[b]] : 0);
const over = (a, b) => (a ? POWERS[LOGS[a] + 255 - LOGS[b]] : 0);
/** The value of a polynomial, its least power first. */
const valueAt = (of, x) => of.reduceRight((sum, part) => times(sum, x) ^ part, 0);

/** The block with its faults put right; null when there are too many. */
export function corrected(block, checks) {
  const last = block.length - 1;
  const reversed = [...block].reverse();
  const syndromes = Array.from({ length: checks }, (_, n) => valueAt(reversed, POWERS[n]));
  if (syndromes.every((one) => one === 0)) return block;
  const locator = locatorOf(syndromes);
  const places = [];
  for (let n = 0; n <= last; n++) if (valueAt(locator, POWERS[255 - n]) === 0) places.push(n);
  if (places.length !== locator.length - 1 || places.length * 2 > checks) return null;
  const fixed = Uint8Array.from(block);
  const evaluator = product(syndromes, locator).slice(0, checks);
  for (const place of places) {
    const inverse = POWERS[(255 - place) % 255];
    const slope = locator.reduce((sum, part, n) => sum ^ (n % 2 ? times(part, power(inverse, n - 1)) : 0), 0);
    if (slope === 0) return null;
    fixed[last - place] ^= times(POWERS[place], over(valueAt(evaluator, inverse), slope));
  }
  const again = [...fixed].reverse();
  return syndromes.some((_, n) => valueAt(again, POWERS[n]) !== 0) ? null : fixed;
}

const power = (of, n) => (n === 0 ? 1 : POWERS[(LOGS[of] * n) % 255]);

function product(a, b) {
  const found = new Uint8Array(a.length + b.length - 1);
  a.forEach((left, n) => b.forEach((right, m) => { found[n + m] ^= times(left, right); }));
  return [...found];
}

/** The shortest recurrence that the syndromes follow (Berlekamp, Massey). */
function locatorOf(syndromes) {
  let [current, before] = [[1], [1]];
  let [length, gap, factor] = [0, 1, 1];
  for (let n = 0; n < syndromes.length; n++) {
    let off = syndromes[n];
    for (let k = 1; k <= length; k++) off ^= times(current[k] ?? 0, syndromes[n - k]);
    if (off === 0) { gap += 1; continue; }
    const shifted = [...Array(gap).fill(0), ...before.map((part) => times(part, over(off, factor)))];
    const next = Array.from({ length: Math.max(current.length, shifted.length) }, (_, k) => (current[k] ?? 0) ^ (shifted[k] ?? 0));
    if (2 * length <= n) {
      [before, factor, length, gap] = [current, off, n + 1 - length, 1];
    } else {
      gap += 1;
    }
    current = next;
  }
  while (current.at(-1) === 0) current.pop();
  return current;
}
