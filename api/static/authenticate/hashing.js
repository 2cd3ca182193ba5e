// SHA-256 and SHA-512 (FIPS 180-4): by the browser where it has them. It has them only on pages that
// came by HTTPS or from this machine; elsewhere the same is computed here, slowly.

import { concat } from "./bytes.js";

const subtle = globalThis.crypto?.subtle;

export const sha256 = (bytes) => hash("SHA-256", bytes);
export const sha512 = (bytes) => hash("SHA-512", bytes);

async function hash(name, bytes) {
  if (subtle) return new Uint8Array(await subtle.digest(name, bytes));
  return compute(name === "SHA-256" ? 32 : 64, bytes);
}

/** SHA-2 over words of 32 or 64 bits. */
export function compute(width, bytes) {
  const small = width === 32;
  const w = BigInt(width);
  const mask = (1n << w) - 1n;
  const rounds = small ? 64 : 80;
  const constants = primes(rounds).map((p) => fraction(p, 3n, w));
  const turn = (x, n) => ((x >> BigInt(n)) | (x << (w - BigInt(n)))) & mask;
  const by = small
    ? { a: [2, 13, 22], e: [6, 11, 25], s0: [7, 18, 3], s1: [17, 19, 10] }
    : { a: [28, 34, 39], e: [14, 18, 41], s0: [1, 8, 7], s1: [19, 61, 6] };
  const big = (x, [p, q, r]) => turn(x, p) ^ turn(x, q) ^ turn(x, r);
  const little = (x, [p, q, r]) => turn(x, p) ^ turn(x, q) ^ (x >> BigInt(r));
  const padded = pad(bytes, width * 2);
  const state = primes(8).map((p) => fraction(p, 2n, w));
  for (let at = 0; at < padded.length; at += width * 2) {
    const words = [];
    for (let n = 0; n < 16; n++) words.push(number(padded, at + (n * width) / 8, width / 8));
    for (let n = 16; n < rounds; n++) {
      words.push((little(words[n - 2], by.s1) + words[n - 7] + little(words[n - 15], by.s0)
        + words[n - 16]) & mask);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let n = 0; n < rounds; n++) {
      const first = h + big(e, by.e) + ((e & f) ^ (~e & mask & g)) + constants[n] + words[n];
      const second = big(a, by.a) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [(first + second) & mask, a, b, c, (d + first) & mask, e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, n) => { state[n] = (state[n] + word) & mask; });
  }
  return concat(...state.map((word) => bytesOf(word, width / 8)));
}

function pad(bytes, block) {
  const tail = block / 8;
  const zeros = (block - ((bytes.length + 1 + tail) % block)) % block;
  return concat(bytes, [0x80], new Uint8Array(zeros), bytesOf(BigInt(bytes.length) * 8n, tail));
}

function number(bytes, at, count) {
  let found = 0n;
  for (let n = 0; n < count; n++) found = (found << 8n) | BigInt(bytes[at + n]);
  return found;
}

function bytesOf(word, count) {
  return Uint8Array.from({ length: count }, (_, n) => Number((word >> BigInt(8 * (count - 1 - n))) & 255n));
}

function primes(count) {
  const found = [];
  for (let n = 2n; found.length < count; n++) if (found.every((p) => n % p)) found.push(n);
  return found;
}

/** The first bits behind the point of the square or cube root. */
function fraction(of, root, bits) {
  const scaled = of << (bits * root);
  let low = 0n;
  let high = 1n << (bits + 5n);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** root <= scaled) low = middle; else high = middle;
  }
  return low & ((1n << bits) - 1n);
}
