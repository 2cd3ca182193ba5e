// Ed25519 signatures (RFC 8032, 5.1): by the browser where it knows them, else on whole numbers.

import { concat } from "./bytes.js";
import { sha512 } from "./hashing.js";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const BASE = point(whole([0x58, ...Array(31).fill(0x66)]));

/** Answer whether the key signed the message. */
export async function isSignedBy(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const known = await imported(publicKey);
  if (known) return globalThis.crypto.subtle.verify("Ed25519", known, signature, message);
  return isSignedByNumbers(publicKey, message, signature);
}

async function imported(publicKey) {
  try {
    return await globalThis.crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  } catch {
    return null; // no WebCrypto, none that knows Ed25519, or no point of the curve: computed below
  }
}

/** The same without the browser's help. */
export async function isSignedByNumbers(publicKey, message, signature) {
  const key = point(whole(publicKey));
  const commitment = point(whole(signature.slice(0, 32)));
  const s = whole(signature.slice(32));
  if (!key || !commitment || s >= L) return false;
  const h = whole(await sha512(concat(signature.slice(0, 32), publicKey, message))) % L;
  return same(times(s, BASE), add(commitment, times(h, key)));
}

function mod(n) {
  const rest = n % P;
  return rest < 0n ? rest + P : rest;
}

function power(base, exponent) {
  let found = 1n;
  for (let b = mod(base), e = exponent; e; e >>= 1n, b = mod(b * b)) if (e & 1n) found = mod(found * b);
  return found;
}

/** Bytes, the least first, as a number. */
function whole(bytes) {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** The point that 255 bits of y and one bit of x name; null when there is none. */
function point(number) {
  const y = number & ((1n << 255n) - 1n);
  const x = y < P ? abscissa(y, number >> 255n) : null;
  return x === null ? null : [x, y, 1n, mod(x * y)];
}

function abscissa(y, sign) {
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square)) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x - square) || (x === 0n && sign)) return null;
  return (x & 1n) === sign ? x : P - x;
}

function add(p, q) {
  const a = mod((p[1] - p[0]) * (q[1] - q[0]));
  const b = mod((p[1] + p[0]) * (q[1] + q[0]));
  const c = mod(2n * p[3] * q[3] * D);
  const d = mod(2n * p[2] * q[2]);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(n, of) {
  let found = [0n, 1n, 1n, 0n];
  for (let rest = n, doubled = of; rest; rest >>= 1n, doubled = add(doubled, doubled)) {
    if (rest & 1n) found = add(found, doubled);
  }
  return found;
}

const same = (p, q) => !mod(p[0] * q[2] - q[0] * p[2]) && !mod(p[1] * q[2] - q[1] * p[2]);
