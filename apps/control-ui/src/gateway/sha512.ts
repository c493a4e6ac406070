/** SHA-256 and SHA-512 (FIPS 180-4) in one: they differ in word size, rounds and rotations. For pages without WebCrypto. */

interface Variant {
  bits: 32n | 64n;
  rounds: number;
  /** Rotations and shifts of Σ0, Σ1, σ0, σ1. */
  turns: readonly (readonly [bigint, bigint, bigint])[];
}

const variants: Record<256 | 512, Variant> = {
  256: {
    bits: 32n,
    rounds: 64,
    turns: [
      [2n, 13n, 22n],
      [6n, 11n, 25n],
      [7n, 18n, 3n],
      [17n, 19n, 10n],
    ],
  },
  512: {
    bits: 64n,
    rounds: 80,
    turns: [
      [28n, 34n, 39n],
      [14n, 18n, 41n],
      [1n, 8n, 7n],
      [19n, 61n, 6n],
    ],
  },
};

/** The first primes: the constants are fractional bits of their square and cube roots. */
function primes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let candidate = 2n; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0n)) found.push(candidate);
  }
  return found;
}

/** Integer root of `value` by bisection. */
function root(value: bigint, degree: 2n | 3n): bigint {
  let low = 0n;
  let high = 1n << (BigInt(value.toString(2).length) / degree + 1n);
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** degree <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}

const fraction = (prime: bigint, degree: 2n | 3n, bits: bigint): bigint =>
  root(prime << (bits * degree), degree) & ((1n << bits) - 1n);

function hash(size: 256 | 512, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const { bits, rounds, turns } = variants[size];
  const mask = (1n << bits) - 1n;
  const wordBytes = Number(bits) / 8;
  const blockBytes = wordBytes * 16;
  const rotate = (word: bigint, by: bigint): bigint => ((word >> by) | (word << (bits - by))) & mask;
  const big = (word: bigint, which: 0 | 1): bigint => {
    const [a, b, c] = turns[which] ?? [0n, 0n, 0n];
    return rotate(word, a) ^ rotate(word, b) ^ rotate(word, c);
  };
  const small = (word: bigint, which: 2 | 3): bigint => {
    const [a, b, c] = turns[which] ?? [0n, 0n, 0n];
    return rotate(word, a) ^ rotate(word, b) ^ (word >> c);
  };
  const list = primes(rounds);
  const constants = list.map((prime) => fraction(prime, 3n, bits));
  const state = list.slice(0, 8).map((prime) => fraction(prime, 2n, bits));

  const padded = new Uint8Array(Math.ceil((message.length + 1 + 2 * wordBytes) / blockBytes) * blockBytes);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
  for (let at = 0; at < padded.length; at += blockBytes) {
    const words: bigint[] = [];
    for (let index = 0; index < 16; index++) {
      let word = 0n;
      for (let byte = 0; byte < wordBytes; byte++)
        word = (word << 8n) | BigInt(padded[at + index * wordBytes + byte] ?? 0);
      words.push(word);
    }
    const word = (index: number): bigint => words[index] ?? 0n;
    for (let index = 16; index < rounds; index++)
      words.push((small(word(index - 2), 3) + word(index - 7) + small(word(index - 15), 2) + word(index - 16)) & mask);
    let [a = 0n, b = 0n, c = 0n, e4 = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
    for (let index = 0; index < rounds; index++) {
      const first = h + big(e, 1) + ((e & f) ^ (~e & mask & g)) + (constants[index] ?? 0n) + word(index);
      const second = big(a, 0) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, e4, c, b, a] = [g, f, e, (e4 + first) & mask, c, b, a, (first + second) & mask];
    }
    [a, b, c, e4, e, f, g, h].forEach((value, index) => (state[index] = ((state[index] ?? 0n) + value) & mask));
  }
  const digest = new Uint8Array(wordBytes * 8);
  state.forEach((value, index) => {
    for (let byte = 0; byte < wordBytes; byte++)
      digest[index * wordBytes + byte] = Number((value >> (bits - 8n * BigInt(byte + 1))) & 255n);
  });
  return digest;
}

export const sha512 = (message: Uint8Array): Uint8Array<ArrayBuffer> => hash(512, message);
export const sha256 = (message: Uint8Array): Uint8Array<ArrayBuffer> => hash(256, message);
