/** Unsaved changes of the form: paths and their new values, over the document as it was read. Pure. */
import { isRecord } from "../../gateway/index.ts";
import { pathKey } from "./json5.ts";
import { isSensitive, pathText, redacted, type Hints, type Path } from "./schema.ts";

export interface Edit {
  path: Path;
  /** Undefined: the setting is taken out, and its default counts. */
  value: unknown;
}

export type Draft = ReadonlyMap<string, Edit>;

export const noEdits: Draft = new Map();

export function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const name of path) {
    if (Array.isArray(value)) value = value[Number(name)];
    else if (isRecord(value) && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}

/** A copy with one path changed; objects on the way are made. */
export function withValue(document: unknown, path: Path, value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(document)) {
    const copy = [...(document as unknown[])];
    copy[Number(name)] = withValue(copy[Number(name)], rest, value);
    return copy;
  }
  const before = isRecord(document) ? document : {};
  const inner = withValue(before[String(name)], rest, value);
  if (inner === undefined) {
    const { [String(name)]: _gone, ...others } = before;
    return others;
  }
  return { ...before, [String(name)]: inner };
}

/** Adds an edit; one that brings back what is stored is no edit. Edits below or above the path are replaced by it. */
export function edited(draft: Draft, document: unknown, path: Path, value: unknown): Draft {
  const next = new Map(draft);
  const key = pathKey(path);
  for (const other of draft.keys()) if (other.startsWith(`${key}\u0000`)) next.delete(other);
  // Within a list, or within an edit that stands higher up, the whole of that is the edit.
  const owner = ownerOf(draft, document, path);
  if (owner.length < path.length) {
    const whole = withValue(valueAt(apply(document, draft), owner), path.slice(owner.length), value);
    return edited(next, document, owner, whole);
  }
  if (same(valueAt(document, path), value)) next.delete(key);
  else next.set(key, { path, value });
  return next;
}

/** The part of the path that is replaced as a whole: up to the first list, or up to an edit above it. */
function ownerOf(draft: Draft, document: unknown, path: Path): Path {
  for (let length = 1; length < path.length; length++) {
    const above = path.slice(0, length);
    if (draft.has(pathKey(above)) || Array.isArray(valueAt(document, above))) return above;
  }
  return path;
}

/** The document with all edits. */
export function apply(document: unknown, draft: Draft): unknown {
  let next = document;
  for (const { path, value } of draft.values()) next = withValue(next, path, value);
  return next;
}

/** What `config.patch` takes: null takes a key out. */
export function patchOf(draft: Draft): Record<string, unknown> {
  let patch: unknown = {};
  for (const { path, value } of draft.values()) patch = withValue(patch, path, value === undefined ? null : value);
  return isRecord(patch) ? patch : {};
}

export interface Change {
  path: string;
  before: string;
  after: string;
}

/** For a person: what was and what will be; secrets never. */
export function changesOf(draft: Draft, document: unknown, hints: Hints): Change[] {
  return [...draft.values()].map(({ path, value }) => ({
    path: pathText(path),
    before: told(valueAt(document, path), hints, path, "the stored secret"),
    after: told(value, hints, path, "another secret"),
  }));
}

const told = (value: unknown, hints: Hints, path: Path, secret: string): string =>
  typeof value === "string" && isSensitive(hints, path) ? secret : shownValue(value, hints, path);

const maxShown = 160;

export function shownValue(value: unknown, hints: Hints, path: Path): string {
  if (value === undefined) return "not set";
  const text = JSON.stringify(hidden(value, hints, path)) ?? "not set";
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

function hidden(value: unknown, hints: Hints, path: Path): unknown {
  if (value === redacted || (typeof value === "string" && isSensitive(hints, path))) return "••••••";
  if (Array.isArray(value)) return value.map((item, index) => hidden(item, hints, [...path, index]));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hidden(item, hints, [...path, name])]));
}

export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
  );
}

/** Whether a stored secret is somewhere inside: it is found again by its place only, so lists that hold one keep their order. */
export function holdsSecret(value: unknown): boolean {
  if (value === redacted) return true;
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isRecord(value) && Object.values(value).some(holdsSecret);
}
