/** The browser's storage, which may be full, forbidden or hold rubbish: reads answer undefined, writes say whether they
 *  lasted. What cannot be stored lives in memory until the page is left. */

const memory = new Map<string, string>();

export type Area = "local" | "session";

const areaOf = (area: Area): Storage => (area === "local" ? globalThis.localStorage : globalThis.sessionStorage);

export function readText(area: Area, key: string): string | undefined {
  const kept = memory.get(`${area}:${key}`);
  if (kept !== undefined) return kept;
  try {
    return areaOf(area).getItem(key) ?? undefined;
  } catch {
    return undefined; // Storage is forbidden.
  }
}

export function writeText(area: Area, key: string, value: string): boolean {
  try {
    areaOf(area).setItem(key, value);
    memory.delete(`${area}:${key}`);
    return true;
  } catch {
    // Full: what was stored before is not what counts any more.
    remove(area, key);
    memory.set(`${area}:${key}`, value);
    return false;
  }
}

/** Every key that begins so, kept here or in memory. */
export function keysOf(area: Area, prefix: string): string[] {
  const kept = [...memory.keys()].filter((key) => key.startsWith(`${area}:`)).map((key) => key.slice(area.length + 1));
  const found = new Set(kept);
  try {
    for (const key of Object.keys(areaOf(area))) found.add(key);
  } catch {
    // Forbidden storage holds nothing.
  }
  return [...found].filter((key) => key.startsWith(prefix));
}

export function remove(area: Area, key: string): void {
  memory.delete(`${area}:${key}`);
  try {
    areaOf(area).removeItem(key);
  } catch {
    // Forbidden storage holds nothing.
  }
}

/** Undefined when missing, damaged, or not what `accepts` asks for. */
export function readJson<T>(area: Area, key: string, accepts: (value: unknown) => value is T): T | undefined {
  const text = readText(area, key);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return accepts(value) ? value : undefined;
  } catch {
    return undefined; // Damaged: as if it were not there.
  }
}

export function writeJson(area: Area, key: string, value: unknown): boolean {
  return writeText(area, key, JSON.stringify(value));
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
