/** The JSON Schema of the config as forms need it: which control a node gets, what a path means, what is wrong with a
 *  value. Only the subset the gateway writes; whatever else there is counts as unsupported and is left alone. Pure. */
import { isRecord } from "../../gateway/index.ts";

export type Path = readonly (string | number)[];

export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  default?: unknown;
  description?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
}

export interface Hint {
  label?: string;
  help?: string;
  order?: number;
  advanced?: boolean;
  sensitive?: boolean;
  placeholder?: string;
}

export type Hints = Readonly<Record<string, Hint>>;

/** What stands for a secret in everything the gateway sends; sent back, it means "as it was". */
export const redacted = "__OPENCLAW_REDACTED__";

export type Control =
  | { kind: "text" }
  | { kind: "number"; integer: boolean }
  | { kind: "switch" }
  | { kind: "choice"; values: readonly unknown[] }
  | { kind: "list"; item: Schema }
  | { kind: "object"; properties: Readonly<Record<string, Schema>> }
  | { kind: "map"; value: Schema }
  | { kind: "unsupported" };

/** The control for a node. A value that is there but not of the control's kind makes it unsupported. */
export function controlOf(schema: Schema, value?: unknown): Control {
  const control = plainControl(schema);
  return value === undefined || fits(control, value) ? control : { kind: "unsupported" };
}

function plainControl(schema: Schema): Control {
  const choices = choicesOf(schema);
  if (choices) return { kind: "choice", values: choices };
  if (schema.anyOf) {
    const options = schema.anyOf.filter(({ type }) => type !== "null");
    const [only] = options;
    if (options.length === 1 && only) return plainControl(only);
    // Text or number, as ids are: written as text, a number that is there stays one.
    if (options.every(({ type }) => type === "string" || type === "number" || type === "integer"))
      return { kind: "text" };
    return { kind: "unsupported" };
  }
  switch (schema.type) {
    case "string":
      return { kind: "text" };
    case "integer":
    case "number":
      return { kind: "number", integer: schema.type === "integer" };
    case "boolean":
      return { kind: "switch" };
    case "array":
      return isSimple(schema.items) ? { kind: "list", item: schema.items } : { kind: "unsupported" };
    case "object":
      return objectControl(schema);
    default:
      return { kind: "unsupported" };
  }
}

const isSimple = (schema: Schema | undefined): schema is Schema =>
  schema !== undefined && plainControl(schema).kind !== "unsupported";

function objectControl(schema: Schema): Control {
  if (schema.properties && Object.keys(schema.properties).length > 0)
    return { kind: "object", properties: schema.properties };
  const value = mapValueOf(schema);
  return value && isSimple(value) ? { kind: "map", value } : { kind: "unsupported" };
}

const mapValueOf = (schema: Schema): Schema | undefined =>
  Object.values(schema.patternProperties ?? {})[0] ??
  (isRecord(schema.additionalProperties) ? schema.additionalProperties : undefined);

function choicesOf(schema: Schema): readonly unknown[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  if (schema.enum) return schema.enum;
  if (!schema.anyOf) return undefined;
  const parts = schema.anyOf.filter(({ type }) => type !== "null").map(choicesOf);
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function fits(control: Control, value: unknown): boolean {
  switch (control.kind) {
    case "text":
      return typeof value === "string" || typeof value === "number";
    case "number":
      return typeof value === "number";
    case "switch":
      return typeof value === "boolean";
    case "choice":
      return control.values.includes(value);
    case "list":
      return Array.isArray(value);
    case "object":
    case "map":
      return isRecord(value);
    case "unsupported":
      return true;
  }
}

/** The node of a path, or undefined where the schema says nothing. */
export function schemaAt(schema: Schema, path: Path): Schema | undefined {
  let node: Schema | undefined = schema;
  for (const name of path) {
    if (node?.type === "array") node = node.items;
    else node = node?.properties?.[String(name)] ?? (node ? mapValueOf(node) : undefined);
  }
  return node;
}

/** The hint of a path; `*` in a hint stands for any name or index. */
export function hintAt(hints: Hints, path: Path): Hint {
  const exact = hints[path.join(".")];
  if (exact) return exact;
  // The gateway writes `*` where names are free; which parts those are is tried from the end.
  for (let mask = 1; mask < 1 << Math.min(path.length, 6); mask++) {
    const wild = path.map((name, index) => (mask & (1 << (path.length - 1 - index)) ? "*" : name)).join(".");
    const found = hints[wild];
    if (found) return found;
  }
  return {};
}

export const isSensitive = (hints: Hints, path: Path): boolean =>
  hintAt(hints, path).sensitive ?? /token|password|secret|api_?key/i.test(String(path.at(-1) ?? ""));

/** `agents.list[0].id`, as the gateway names paths in its issues. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, name) => (typeof name === "number" ? `${text}[${name}]` : text === "" ? name : `${text}.${name}`),
    "",
  );

/** The reverse; good for what the gateway writes. `a.0.b` and `a[0].b` are the same place. */
export function parsePath(text: string, document: unknown): Path {
  const names = text
    .replaceAll(/\[(\d+)\]/g, ".$1")
    .split(".")
    .filter((name) => name !== "");
  const path: (string | number)[] = [];
  let value = document;
  for (let index = 0; index < names.length; index++) {
    let name = names[index] ?? "";
    if (Array.isArray(value)) {
      path.push(Number(name));
      value = value[Number(name)];
      continue;
    }
    // Names may hold dots: the longest one that is there counts.
    for (let end = names.length; end > index + 1 && isRecord(value); end--) {
      const joined = names.slice(index, end).join(".");
      if (!Object.hasOwn(value, joined)) continue;
      name = joined;
      index = end - 1;
      break;
    }
    path.push(name);
    value = isRecord(value) ? value[name] : undefined;
  }
  return path;
}
