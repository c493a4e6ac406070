/** Paths of config keys as people write them (config.md §6.1). */
import { GatewayError } from "@openclaw/protocol";

/** Keys that would reach a prototype; refused at the door of every parser (R-SEC-8). */
export const unsafeKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Whether a segment names the place in a list. */
export const isIndex = (key: string): boolean => /^(0|[1-9]\d{0,5})$/u.test(key);

/** Dots, `[0]`, `["key with.dots"]`; a backslash keeps the next character. Throws GatewayError. */
export function parsePath(path: string): string[] {
  const keys: string[] = [];
  const pattern = /\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\d+))\]|((?:[^.[\]\\]|\\.)+)|(\.)/gsy;
  let at = 0;
  let expectKey = true;
  for (const match of path.matchAll(pattern)) {
    const key = match[1] ?? match[2] ?? match[3] ?? match[4];
    if (key === undefined ? expectKey : !expectKey && match[4] !== undefined) break;
    at = match.index + match[0].length;
    expectKey = key === undefined;
    if (key !== undefined) keys.push(key.replace(/\\(.)/gsu, "$1"));
  }
  if (at !== path.length || expectKey || keys.some((key) => key === "" || unsafeKeys.has(key))) {
    throw new GatewayError("invalid", `Invalid config path: ${path}`);
  }
  return keys;
}

/** The same keys written so that `parsePath` reads them again. */
export function formatPath(keys: readonly string[]): string {
  return keys.reduce((path, key) => {
    if (isIndex(key) && path) return `${path}[${key}]`;
    if (/[.[\]\\"']/u.test(key) || key === "") return `${path}[${JSON.stringify(key)}]`;
    return path ? `${path}.${key}` : key;
  }, "");
}
