/** Strict validation of a parsed document against the declared sections (config.md §3). The texts are the ones users search
 *  for (`Unrecognized key: "x"`), which is why this is a small walker and not a general validator; a test compares its
 *  verdict with AJV's on generated documents. */
import type { TSchema } from "typebox";
import { nearest } from "./nearest.ts";

export interface Issue {
  /** Dotted path, `""` for the document itself. */
  path: string;
  message: string;
}

/** The part of JSON Schema that sections use. */
export interface SchemaNode {
  type?: string;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  additionalProperties?: boolean | SchemaNode;
  patternProperties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  default?: unknown;
  description?: string;
  sensitive?: boolean;
  reload?: string;
  entryReload?: string;
  ownReload?: string;
  label?: string;
  placeholder?: string;
  advanced?: boolean;
}

export const asNode = (schema: TSchema): SchemaNode => schema as SchemaNode;

const unsafeKeys = new Set(["__proto__", "constructor", "prototype"]);

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const joinPath = (path: string, key: string): string => (path ? `${path}.${key}` : key);

const typeOf = (value: unknown): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

const quote = (value: unknown): string => JSON.stringify(value);

/** All issues, in document order. */
export function validate(node: SchemaNode, value: unknown, path = ""): Issue[] {
  const issues: Issue[] = [];
  walk(node, value, path, issues);
  return issues;
}

function walk(node: SchemaNode, value: unknown, path: string, issues: Issue[]): void {
  const fail = (message: string) => void issues.push({ path, message });
  if (node.anyOf) return walkUnion(node.anyOf, value, path, issues);
  if (node.const !== undefined) {
    if (value !== node.const) fail(`expected ${quote(node.const)}`);
    return;
  }
  if (node.enum) {
    if (!node.enum.includes(value)) fail(`expected one of ${node.enum.map(quote).join(", ")}`);
    return;
  }
  switch (node.type) {
    case "object":
      return isObject(value) ? walkObject(node, value, path, issues) : fail(`expected an object, got ${typeOf(value)}`);
    case "array":
      if (!Array.isArray(value)) return fail(`expected a list, got ${typeOf(value)}`);
      if (node.minItems !== undefined && value.length < node.minItems)
        fail(`expected at least ${node.minItems} entries`);
      if (node.maxItems !== undefined && value.length > node.maxItems)
        fail(`expected at most ${node.maxItems} entries`);
      if (node.items) for (const [i, item] of value.entries()) walk(node.items, item, `${path}[${i}]`, issues);
      return;
    case "string":
      return walkString(node, value, fail);
    case "integer":
    case "number":
      return walkNumber(node, value, fail);
    case "boolean":
      return typeof value === "boolean" ? undefined : fail(`expected true or false, got ${typeOf(value)}`);
    default:
      return;
  }
}

function walkString(node: SchemaNode, value: unknown, fail: (message: string) => void): void {
  if (typeof value !== "string") return fail(`expected a text, got ${typeOf(value)}`);
  if (node.minLength !== undefined && value.length < node.minLength) {
    fail(node.minLength === 1 ? "must not be empty" : `expected at least ${node.minLength} characters`);
  }
  if (node.maxLength !== undefined && value.length > node.maxLength)
    fail(`expected at most ${node.maxLength} characters`);
  if (node.pattern !== undefined && !new RegExp(node.pattern, "u").test(value)) fail(`does not match ${node.pattern}`);
}

function walkNumber(node: SchemaNode, value: unknown, fail: (message: string) => void): void {
  if (typeof value !== "number" || !Number.isFinite(value)) return fail(`expected a number, got ${typeOf(value)}`);
  if (node.type === "integer" && !Number.isInteger(value)) return fail("expected a whole number");
  if (node.minimum !== undefined && value < node.minimum) fail(`must be >= ${node.minimum}`);
  if (node.exclusiveMinimum !== undefined && value <= node.exclusiveMinimum) fail(`must be > ${node.exclusiveMinimum}`);
  if (node.maximum !== undefined && value > node.maximum) fail(`must be <= ${node.maximum}`);
}

function walkObject(node: SchemaNode, value: Record<string, unknown>, path: string, issues: Issue[]): void {
  const known = node.properties ?? {};
  const unknown: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const child = Object.hasOwn(known, key) ? known[key] : openChild(node, key);
    if (unsafeKeys.has(key) || child === undefined) unknown.push(key);
    else walk(child, item, joinPath(path, key), issues);
  }
  for (const key of node.required ?? []) {
    const child = known[key];
    // A key with a default, or a group whose keys all have one, is filled in and never has to be written.
    if (child && !fillable(child) && value[key] === undefined) {
      issues.push({ path: joinPath(path, key), message: "is required" });
    }
  }
  if (unknown.length === 0) return;
  const names = unknown.map(quote).join(", ");
  const hint = unknown.length === 1 ? nearest(unknown[0] ?? "", Object.keys(known)) : undefined;
  issues.push({
    path,
    message: `Unrecognized key${unknown.length > 1 ? "s" : ""}: ${names}${hint ? ` (did you mean "${hint}"?)` : ""}`,
  });
}

/** Whether defaults alone make a legal value. */
export function fillable(node: SchemaNode): boolean {
  if (node.default !== undefined) return true;
  if (node.type !== "object") return false;
  return (node.required ?? []).every((key) => {
    const child = node.properties?.[key];
    return child !== undefined && fillable(child);
  });
}

function openChild(node: SchemaNode, key: string): SchemaNode | undefined {
  for (const [pattern, child] of Object.entries(node.patternProperties ?? {})) {
    if (new RegExp(pattern, "u").test(key)) return child;
  }
  if (node.additionalProperties === false) return undefined;
  if (isObject(node.additionalProperties)) return node.additionalProperties as SchemaNode;
  return node.patternProperties && node.additionalProperties === undefined ? undefined : {};
}

function walkUnion(members: SchemaNode[], value: unknown, path: string, issues: Issue[]): void {
  let closest: Issue[] | undefined;
  for (const member of members) {
    const found = validate(member, value, path);
    if (found.length === 0) return;
    // The member of the right type explains best what is wrong.
    const sameType = member.type === typeOf(value) && member.const === undefined;
    if (sameType && (!closest || found.length < closest.length)) closest = found;
  }
  if (closest) return void issues.push(...closest);
  const constants = members.filter((m) => m.const !== undefined).map((m) => quote(m.const));
  const types = members.filter((m) => m.const === undefined).map((m) => `a ${m.type ?? "value"}`);
  issues.push({ path, message: `expected one of ${[...constants, ...types].join(", ")}` });
}
