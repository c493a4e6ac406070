/** Looks at JSON before and after parsing, so that no frame can exhaust memory, stack or prototypes (R-LIM-1, R-SEC-8). */

export const jsonLimits = {
  maxDepth: 100,
  maxTokens: 50_000,
  /** Tokens are counted above this size only: below it there cannot be enough of them to hurt. */
  countTokensAboveBytes: 65_536,
} as const;

const quote = 0x22;
const backslash = 0x5c;

/** Nesting and token count in one linear pass. Works on any bytes; text that is not JSON simply fails to parse later. */
export function scanJson(
  bytes: Uint8Array,
  limit: number = jsonLimits.maxTokens,
): "ok" | "too deep" | "too many values" {
  const { maxDepth } = jsonLimits;
  const maxTokens = bytes.length > jsonLimits.countTokensAboveBytes ? limit : Number.POSITIVE_INFINITY;
  let depth = 0;
  let tokens = 1;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case quote:
        for (i++; i < bytes.length && bytes[i] !== quote; i++) if (bytes[i] === backslash) i++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) return "too deep";
        tokens++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
      case 0x3a: // :
        tokens++;
        break;
    }
    if (tokens > maxTokens) return "too many values";
  }
  return "ok";
}

/** A frame too short to nest deeper than allowed needs no scan. */
export const scanNeeded = (byteLength: number): boolean => byteLength > jsonLimits.maxDepth * 2;

const suspicious = /__proto__|constructor|prototype|\\u/;

/** The first key that could reach a prototype, or undefined. Cheap for honest text: the value is walked only when the text
 *  contains one of the names or an escape that could spell one. */
export function poisonKey(text: string, value: unknown): string | undefined {
  if (!suspicious.test(text)) return undefined;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next)) {
      for (const item of next) waiting.push(item);
      continue;
    }
    for (const key of Object.keys(next)) {
      if (key === "__proto__" || key === "constructor" || key === "prototype") return key;
      waiting.push((next as Record<string, unknown>)[key]);
    }
  }
  return undefined;
}

/** `id` of a request that is too deep or too large to parse, so that its sender still gets an answer. Looks at the keys of
 *  the outermost object only. */
export function topLevelId(bytes: Buffer): string | undefined {
  let depth = 0;
  let key: string | undefined;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === quote) {
      const start = i;
      for (i++; i < bytes.length && bytes[i] !== quote; i++) if (bytes[i] === backslash) i++;
      if (depth !== 1 || i - start > 258) continue;
      const text = bytes.toString("utf8", start + 1, i);
      if (key === "id") return text !== "" && !text.includes("\\") ? text : undefined;
      key = text;
    } else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    else if (byte === 0x2c && depth === 1) key = undefined;
  }
  return undefined;
}
