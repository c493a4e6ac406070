/** Changes values of a JSON5 document in place: every byte outside the changed span stays, comments and line ends with it
 *  (R-CFG-2). */
import { GatewayError } from "@openclaw/protocol";
import { same } from "./diff.ts";
import { formatPath, isIndex, unsafeKeys } from "./path.ts";
import { parseDocument } from "./parse.ts";
import { findSpans, type ValueSpan } from "./spans.ts";
import { insertItem, insertMember, removeItem, removeMember, replaceValue } from "./splice.ts";
import { isObject } from "./validate.ts";

export interface Edit {
  /** Keys from the root; a number in decimal digits is the index of a list. */
  path: readonly string[];
  /** `undefined` removes the key; a list closes the gap. */
  value: unknown;
}

/** The text with the edits made, in order. Setting an object or list changes only the members that differ. Throws
 *  GatewayError when the text cannot be parsed or a path leads through a text, number or list hole. `path` names the file. */
export function editText(text: string, edits: readonly Edit[], path: string): string {
  let document: unknown;
  try {
    document = parseDocument(text);
  } catch (error) {
    throw new GatewayError("invalid", `${path} cannot be parsed: ${(error as Error).message}. Repair it first.`);
  }
  if (!isObject(document)) throw new GatewayError("invalid", `${path} must hold an object.`);
  let edited = text;
  for (const edit of edits.flatMap((wanted) => smallest(wanted, document))) edited = editOnce(edited, edit);
  const wanted = structuredClone(document);
  for (const edit of edits) setIn(wanted, edit);
  if (!same(parseDocument(edited), wanted))
    throw new GatewayError("invalid", `${path} cannot be edited safely. Change it by hand.`);
  return edited;
}

/** The edits that lead from one document to another, as small as comments allow. */
export function editsBetween(before: Record<string, unknown>, after: Record<string, unknown>): Edit[] {
  return within([], before, after);
}

/** An edit as the changes that are really needed. */
function smallest(edit: Edit, document: unknown): Edit[] {
  const present = getIn(document, edit.path);
  if (present === undefined) return edit.value === undefined ? [] : [edit];
  return within(edit.path, present, edit.value);
}

function within(path: readonly string[], before: unknown, after: unknown): Edit[] {
  if (same(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => {
      const [old, next] = [own(before, key), own(after, key)];
      if (old === undefined || next === undefined) return old === next ? [] : [{ path: [...path, key], value: next }];
      return within([...path, key], old, next);
    });
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, i) => within([...path, String(i)], item, after[i]));
  }
  return [{ path, value: after }];
}

const own = (value: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

/** The value at a path of keys; undefined when anything on the way is missing. */
export function getIn(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const key of path) {
    if (Array.isArray(value)) value = isIndex(key) ? value[Number(key)] : undefined;
    else value = isObject(value) ? own(value, key) : undefined;
  }
  return value;
}

function editOnce(text: string, { path, value }: Edit): string {
  const root = findSpans(text);
  let node = root;
  for (const [i, key] of path.entries()) {
    const child = childOf(node, key);
    const last = i === path.length - 1;
    if (child && !last) {
      node = child;
      continue;
    }
    if (value === undefined) {
      if (!child) return text;
      return node.kind === "array" ? removeItem(text, node, Number(key)) : removeMember(text, node, key);
    }
    if (child) return replaceValue(text, root, child, value);
    const rest = nest(path.slice(i + 1), value);
    return node.kind === "array" ? insertItem(text, root, node, rest) : insertMember(text, root, node, key, rest);
  }
  return text;
}

/** Of a key that stands twice the last one counts, as for parsers. */
function childOf(node: ValueSpan, key: string): ValueSpan | undefined {
  if (node.kind === "array") return node.items[Number(key)];
  return node.members.findLast((member) => member.key === key)?.value;
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => (isIndex(key) ? [inner] : { [key]: inner }), value);
}

/** The same change on values, with every check of the path. */
export function setIn(document: Record<string, unknown>, { path, value }: Edit): void {
  let node: unknown = document;
  if (path.length === 0) throw new GatewayError("invalid", "An edit needs a path.");
  for (const [i, key] of path.entries()) {
    if (unsafeKeys.has(key)) throw new GatewayError("invalid", `"${key}" cannot be a config key.`);
    const here = formatPath(path.slice(0, i)) || "<root>";
    const last = i === path.length - 1;
    const missing = () => (last ? value : isIndex(path[i + 1] ?? "") ? [] : {});
    if (Array.isArray(node)) {
      if (!isIndex(key)) throw new GatewayError("invalid", `${here} is a list: "${key}" is no index.`);
      const index = Number(key);
      if (index > node.length)
        throw new GatewayError("invalid", `${here} has ${node.length} entries: ${index} would leave a hole.`);
      if (last && value === undefined) return void node.splice(index, 1);
      if (value === undefined && index === node.length) return;
      if (last || index === node.length) node[index] = missing();
      node = node[index];
    } else if (isObject(node)) {
      if (last && value === undefined) return void delete node[key];
      if (value === undefined && own(node, key) === undefined) return;
      if (last || own(node, key) === undefined) node[key] = missing();
      node = node[key];
    } else throw new GatewayError("invalid", `${here} is not an object.`);
  }
}
