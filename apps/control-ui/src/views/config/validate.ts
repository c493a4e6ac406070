/** What a document says against its schema, with the path of each. The gateway judges in the end; this is to see mistakes
 *  while writing. Values that refer to the environment are left to it. Pure. */
import { isRecord } from "../../gateway/index.ts";
import { redacted, type Path, type Schema } from "./schema.ts";

export interface Issue {
  path: Path;
  message: string;
}

const most = 50;

export function validate(schema: Schema, document: unknown): Issue[] {
  const issues: Issue[] = [];
  check(schema, document, [], issues);
  return issues.slice(0, most);
}

function check(schema: Schema, value: unknown, path: Path, issues: Issue[]): void {
  if (issues.length >= most || value === redacted) return;
  const say = (message: string) => void issues.push({ path, message });
  // `${NAME}` becomes something else before it is judged.
  if (typeof value === "string" && value.includes("${")) return;
  if (schema.const !== undefined || schema.enum) {
    const allowed = schema.enum ?? [schema.const];
    if (!allowed.includes(value)) say(`must be ${allowed.map((item) => JSON.stringify(item)).join(" or ")}`);
    return;
  }
  if (schema.anyOf) {
    checkUnion(schema.anyOf, value, path, issues);
    return;
  }
  if (schema.type === undefined) return;
  if (typeName(value) !== schema.type && !(schema.type === "number" && typeName(value) === "integer")) {
    say(`must be ${withArticle(schema.type)}, not ${withArticle(typeName(value))}`);
    return;
  }
  checkBounds(schema, value, say);
  if (Array.isArray(value) && schema.items) {
    const { items } = schema;
    value.forEach((item, index) => check(items, item, [...path, index], issues));
  } else if (isRecord(value)) checkObject(schema, value, path, issues);
}

/** The problems of the alternative that fits best: the one of the value's own type. */
function checkUnion(options: readonly Schema[], value: unknown, path: Path, issues: Issue[]): void {
  const results = options.map((option) => {
    const found: Issue[] = [];
    check(option, value, path, found);
    return { option, found };
  });
  if (results.some(({ found }) => found.length === 0)) return;
  const literals = options.flatMap((option) => (option.const !== undefined ? [option.const] : (option.enum ?? [])));
  const sameType = results.find(
    ({ option }) => option.type === typeName(value) && option.const === undefined && !option.enum,
  );
  if (sameType) issues.push(...sameType.found);
  else if (literals.length > 0)
    issues.push({ path, message: `must be ${literals.map((item) => JSON.stringify(item)).join(" or ")}` });
  else
    issues.push({ path, message: `must be ${options.map(({ type }) => withArticle(type ?? "value")).join(" or ")}` });
}

function checkBounds(schema: Schema, value: unknown, say: (message: string) => void): void {
  if (typeof value === "number") {
    if (schema.minimum !== undefined && value < schema.minimum) say(`must be at least ${schema.minimum}`);
    if (schema.maximum !== undefined && value > schema.maximum) say(`must be at most ${schema.maximum}`);
    if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum)
      say(`must be more than ${schema.exclusiveMinimum}`);
  } else if (typeof value === "string") {
    if (schema.minLength !== undefined && value.length < schema.minLength) say("must not be empty");
    if (schema.pattern !== undefined && !patternOf(schema.pattern).test(value)) say(`must look like ${schema.pattern}`);
  }
}

function checkObject(schema: Schema, value: Record<string, unknown>, path: Path, issues: Issue[]): void {
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(value, name)) issues.push({ path, message: `${name} is missing` });
  const patterns = Object.entries(schema.patternProperties ?? {}).map(([text, node]) => ({
    pattern: patternOf(text),
    node,
  }));
  for (const [name, item] of Object.entries(value)) {
    const at = [...path, name];
    const known =
      schema.properties?.[name] ??
      patterns.find(({ pattern }) => pattern.test(name))?.node ??
      (isRecord(schema.additionalProperties) ? schema.additionalProperties : undefined);
    if (known) check(known, item, at, issues);
    // `$include` and its like belong to the file format, not to the schema.
    else if (schema.additionalProperties === false && !name.startsWith("$"))
      issues.push({ path: at, message: "is not a setting" });
  }
}

const patternOf = (text: string): RegExp => {
  try {
    return new RegExp(text, "u");
  } catch {
    return /(?:)/; // Not a pattern of this language: the gateway judges it.
  }
};

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const withArticle = (type: string): string => {
  const name = { string: "text", integer: "whole number", array: "list", boolean: "true or false" }[type] ?? type;
  if (type === "null" || type === "boolean" || type === "string") return name;
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
};
