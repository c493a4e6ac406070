/** `$include` (config.md §2.2). Files must lie inside the config directory after links are resolved, or inside a root of
 *  OPENCLAW_INCLUDE_ROOTS. */
import { readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, resolve, sep } from "node:path";
import { parseDocument } from "./parse.ts";
import { isObject } from "./validate.ts";

const maxDepth = 10;

export class IncludeError extends Error {
  override readonly name = "IncludeError";
}

interface Position {
  file: string;
  chain: readonly string[];
  roots: readonly string[];
}

/** Throws IncludeError with the text for the user. `files` receives every file that was read. */
export function resolveIncludes(
  document: unknown,
  file: string,
  extraRoots: string | undefined,
  files: Set<string>,
): unknown {
  const roots = rootsOf(file, extraRoots);
  return walk(document, { file: realPath(file), chain: [realPath(file)], roots }, files);
}

/** The file in which the value at a path is written, when that is not the document itself. Throws IncludeError. */
export function ownerOfPath(
  document: unknown,
  file: string,
  path: readonly string[],
  extraRoots?: string,
): string | undefined {
  const at = { file: realPath(file), chain: [realPath(file)], roots: rootsOf(file, extraRoots) };
  const owner = findOwner(document, at, path);
  return owner === at.file ? undefined : owner;
}

/** Undefined when the value is nowhere. */
function findOwner(value: unknown, at: Position, path: readonly string[]): string | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return at.file;
  if (Array.isArray(value)) return findOwner(value[Number(key)], at, rest);
  if (!isObject(value)) return undefined;
  const own = Object.hasOwn(value, key) ? value[key] : undefined;
  const found = own === undefined ? undefined : findOwner(own, at, rest);
  if (found !== undefined) return found;
  const names = value.$include === undefined ? [] : [value.$include].flat();
  for (const name of names.toReversed()) {
    if (typeof name !== "string") continue;
    const file = resolve(dirname(at.file), name);
    if (at.chain.includes(file)) continue;
    const owner = findOwner(readRaw(name, at), { ...at, file, chain: [...at.chain, file] }, path);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

function rootsOf(file: string, extraRoots: string | undefined): string[] {
  return [dirname(realPath(file)), ...(extraRoots ? extraRoots.split(delimiter).filter(Boolean) : [])];
}

function walk(value: unknown, at: Position, files: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, at, files));
  if (!isObject(value)) return value;
  const { $include: include, ...siblings } = value;
  const own = Object.fromEntries(Object.entries(siblings).map(([key, item]) => [key, walk(item, at, files)]));
  if (include === undefined) return own;
  const names = Array.isArray(include) ? include : [include];
  let merged: unknown;
  for (const name of names) {
    if (typeof name !== "string")
      throw new IncludeError(`$include takes a file name or a list of them (in ${at.file})`);
    const part = readInclude(name, at, files);
    merged = merged === undefined ? part : merge(merged, part);
  }
  if (Object.keys(own).length === 0) return merged;
  if (!isObject(merged)) throw new IncludeError(`$include beside other keys needs an object in ${String(include)}`);
  return merge(merged, own);
}

function readInclude(name: string, at: Position, files: Set<string>): unknown {
  const path = resolve(dirname(at.file), name);
  if (at.chain.includes(path)) throw new IncludeError(`Circular include detected: ${[...at.chain, path].join(" -> ")}`);
  if (at.chain.length > maxDepth) throw new IncludeError(`Includes are nested deeper than ${maxDepth}: ${path}`);
  const parsed = readRaw(name, at);
  files.add(path);
  return walk(parsed, { ...at, file: path, chain: [...at.chain, path] }, files);
}

/** The included document as it is written. */
function readRaw(name: string, at: Position): unknown {
  const path = resolve(dirname(at.file), name);
  let text: string;
  try {
    const real = realpathSync(path);
    if (!at.roots.some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep))) {
      throw new IncludeError(
        `Include file lies outside the config directory: ${path}. Move it there or add its folder to OPENCLAW_INCLUDE_ROOTS.`,
      );
    }
    text = readFileSync(real, "utf8");
  } catch (error) {
    if (error instanceof IncludeError) throw error;
    throw new IncludeError(`Failed to read include file: ${name} (resolved: ${path})`, { cause: error });
  }
  try {
    return parseDocument(text);
  } catch (error) {
    throw new IncludeError(`Failed to parse include file: ${name} (resolved: ${path}): ${(error as Error).message}`);
  }
}

/** Objects merge, lists concatenate, otherwise the later value wins. */
function merge(base: unknown, over: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(over)) return [...base, ...over];
  if (!isObject(base) || !isObject(over)) return over;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    result[key] = Object.hasOwn(base, key) ? merge(base[key], value) : value;
  }
  return result;
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    // The file may not exist yet; then its own path is the only one there is.
    return resolve(file);
  }
}
