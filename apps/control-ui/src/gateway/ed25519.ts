/** Ed25519 signing (RFC 8032) with BigInt, for pages without WebCrypto. Slow (a few ms) and not constant-time: it signs one
 *  challenge per connection with a key that never leaves this browser. */
import { sha512 } from "./sha512.ts";

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (value: bigint, by = p): bigint => {
  const rest = value % by;
  return rest >= 0n ? rest : rest + by;
};

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = mod(base);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * factor) % p;
    factor = (factor * factor) % p;
  }
  return result;
}

const invert = (value: bigint): bigint => power(value, p - 2n);
const d = mod(-121665n * invert(121666n));

/** Extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. */
type Point = readonly [bigint, bigint, bigint, bigint];

const baseX = 15112221349535400772501151409588531511454012693041857206046113283949847762202n;
const baseY = 46316835694926478169428394003475163141307993866256225615783033603165251855960n;
const basePoint: Point = [baseX, baseY, 1n, mod(baseX * baseY)];
const zero: Point = [0n, 1n, 1n, 0n];

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * d * t2);
  const e = mod(2n * z1 * z2);
  const f = b - a;
  const g = e - c;
  const h = e + c;
  const i = b + a;
  return [mod(f * g), mod(h * i), mod(g * h), mod(f * i)];
}

function multiply(point: Point, by: bigint): Point {
  let result = zero;
  let doubled = point;
  for (let left = by; left > 0n; left >>= 1n) {
    if (left & 1n) result = add(result, doubled);
    doubled = add(doubled, doubled);
  }
  return result;
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0);
  return value;
}

function toBytes(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  let left = value;
  for (let index = 0; index < 32; index++, left >>= 8n) bytes[index] = Number(left & 255n);
  return bytes;
}

function encode([x, y, z]: Point): Uint8Array<ArrayBuffer> {
  const inverse = invert(z);
  const bytes = toBytes(mod(y * inverse));
  if (mod(x * inverse) & 1n) bytes[31] = (bytes[31] ?? 0) | 0x80;
  return bytes;
}

function expand(seed: Uint8Array): { scalar: bigint; prefix: Uint8Array } {
  const hash = sha512(seed);
  const low = hash.slice(0, 32);
  low[0] = (low[0] ?? 0) & 248;
  low[31] = ((low[31] ?? 0) & 127) | 64;
  return { scalar: littleEndian(low), prefix: hash.slice(32) };
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The raw 32-byte public key of a 32-byte seed. */
export const publicKeyOf = (seed: Uint8Array): Uint8Array<ArrayBuffer> =>
  encode(multiply(basePoint, expand(seed).scalar));

/** The 64-byte signature of `message`. */
export function sign(seed: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const { scalar, prefix } = expand(seed);
  const publicKey = encode(multiply(basePoint, scalar));
  const r = mod(littleEndian(sha512(join(prefix, message))), order);
  const encodedR = encode(multiply(basePoint, r));
  const k = mod(littleEndian(sha512(join(encodedR, publicKey, message))), order);
  return join(encodedR, toBytes(mod(r + k * scalar, order)));
}
