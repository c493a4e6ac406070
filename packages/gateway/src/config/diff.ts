/** What changed between two effective configs, as dotted paths (lifecycle.md §7.2). */
import { isObject, joinPath } from "./validate.ts";

/** Objects are compared key by key, lists and scalars as a whole; a key that came or went is named itself. Both sides must
 *  come from the same normalisation. In order of the keys, `before` first. */
export function diffConfig(before: unknown, after: unknown): string[] {
  const paths: string[] = [];
  walk(before, after, "", paths);
  return paths;
}

function walk(before: unknown, after: unknown, path: string, paths: string[]): void {
  if (!isObject(before) || !isObject(after)) {
    if (!same(before, after)) paths.push(path);
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    walk(own(before, key), own(after, key), joinPath(path, key), paths);
  }
}

const own = (value: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

/** Deep equality of JSON values; the order of keys does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
