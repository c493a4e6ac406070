/** Effective config = authored values + declared defaults + expanded paths (config.md §2.5, §8). */
import { join } from "node:path";
import { fillable, isObject, type SchemaNode } from "./validate.ts";

/** A new value; `value` is not changed. Unset optional keys stay unset. */
export function applyDefaults(node: SchemaNode, value: unknown): unknown {
  if (value === undefined) {
    if (node.default !== undefined) return structuredClone(node.default);
    return node.type === "object" && fillable(node) ? applyDefaults(node, {}) : undefined;
  }
  if (Array.isArray(value)) {
    const items = node.items;
    return items ? value.map((item) => applyDefaults(items, item)) : value;
  }
  if (!isObject(value)) return value;
  if (node.anyOf) {
    const group = node.anyOf.find((member) => member.type === "object");
    return group ? applyDefaults(group, value) : value;
  }
  const result: Record<string, unknown> = {};
  const required = new Set(node.required);
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    const filled = given === undefined && !required.has(key) ? undefined : applyDefaults(child, given);
    if (filled !== undefined) result[key] = filled;
  }
  for (const [key, item] of Object.entries(value)) {
    if (Object.hasOwn(result, key) || item === undefined) continue;
    const child = openSchema(node);
    result[key] = child ? applyDefaults(child, item) : item;
  }
  return result;
}

function openSchema(node: SchemaNode): SchemaNode | undefined {
  const first = Object.values(node.patternProperties ?? {})[0];
  return first ?? (isObject(node.additionalProperties) ? (node.additionalProperties as SchemaNode) : undefined);
}

const pathKey = /(dir|path|file|root|workspace)$/iu;
const pathListKey = /(paths|dirs)$|^pathPrepend$/iu;

/** `~` at the start of values whose key names a path becomes the home directory. */
export function expandPaths(value: unknown, home: string, key = ""): unknown {
  if (typeof value === "string") {
    if (!pathKey.test(key) || !(value === "~" || value.startsWith("~/"))) return value;
    return join(home, value.slice(1));
  }
  if (Array.isArray(value)) return value.map((item) => expandPaths(item, home, pathListKey.test(key) ? "path" : ""));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, expandPaths(item, home, name)]));
}
