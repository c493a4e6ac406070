/** A seeded source of randomness and of JSON nobody would write by hand. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1): mulberry32, good enough to be different everywhere. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}

const keys = [
  "a",
  "id",
  "type",
  "method",
  "params",
  "text",
  "sessionKey",
  "idempotencyKey",
  "limit",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "",
  "🦞",
  "../../x",
  "message",
  "scopes",
  "deviceId",
  "role",
  "\u0000",
  "hasOwnProperty",
] as const;

const leaves = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "1e999",
  "-0",
  "1.5",
  "9007199254740993",
  '""',
  '"main"',
  '"agent:main:main"',
  '"\\ud800"',
  '"\\u0000"',
  '"\\u005f\\u005fproto__"',
  '"../../etc/passwd"',
  '"🦞"',
  "[]",
  "{}",
] as const;

/** JSON text; keys may repeat and may be hostile. */
export function jsonText(random: Random, depth = 0): string {
  const roll = random.next();
  if (depth > 5 || roll < 0.45) return random.pick(leaves);
  const size = random.below(4);
  const inner = () => jsonText(random, depth + 1);
  if (roll < 0.6) return `[${Array.from({ length: size }, inner).join(",")}]`;
  return `{${Array.from({ length: size }, () => `${JSON.stringify(random.pick(keys))}:${inner()}`).join(",")}}`;
}
