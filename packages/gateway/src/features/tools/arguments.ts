/** Arguments of a tool call: synonyms, harmless coercion and validation in one walk over the schema. Tool schemas are flat
 *  (agent.md §3.3), so this small reader of them replaces a schema compiler that would cost 60 ms and more at first use. */

interface SchemaNode {
  type?: string;
  properties?: Record<string, SchemaNode>;
  required?: readonly string[];
  additionalProperties?: boolean | SchemaNode;
  patternProperties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly SchemaNode[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  default?: unknown;
}

const understood = new Set([
  ..."type properties required additionalProperties patternProperties items enum const anyOf minimum maximum".split(
    " ",
  ),
  ..."exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems pattern default".split(" "),
  ..."title description examples format $id".split(" "),
]);

/** Names models use for the same thing. Taken only when the schema knows the target and not the synonym. */
const synonyms: Readonly<Record<string, string>> = {
  file_path: "path",
  filePath: "path",
  old_string: "oldText",
  old_text: "oldText",
  oldString: "oldText",
  new_string: "newText",
  new_text: "newText",
  newString: "newText",
  session_id: "sessionId",
  session_key: "sessionKey",
  cmd: "command",
  cwd: "workdir",
};

/** A keyword this file does not check, or undefined: a schema that says more than is checked is a mistake of its author. */
export function unsupportedKeyword(schema: object): string | undefined {
  const node = schema as SchemaNode & Record<string, unknown>;
  for (const key of Object.keys(node)) if (!understood.has(key) && !key.startsWith("~")) return key;
  const children: unknown[] = [
    ...Object.values(node.properties ?? {}),
    ...Object.values(node.patternProperties ?? {}),
    ...(node.anyOf ?? []),
    node.items,
    node.additionalProperties,
  ];
  for (const child of children) {
    const found = typeof child === "object" && child !== null ? unsupportedKeyword(child) : undefined;
    if (found) return found;
  }
  return undefined;
}

export type ParsedArguments = { ok: true; args: Record<string, unknown> } | { ok: false; problem: string };

/** Checks `args` against a tool's `params`. The result is a new object without unknown names, unless the schema is open. */
export function parseArguments(schema: object, args: unknown): ParsedArguments {
  const node = schema as SchemaNode;
  if (!isRecord(args)) return { ok: false, problem: "arguments must be a JSON object" };
  try {
    return { ok: true, args: parseObject(node, renamed(node, args), "") };
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, problem: error.message };
    throw error;
  }
}

class Mismatch extends Error {}

function fail(path: string, text: string): never {
  throw new Mismatch(`${path === "" ? "arguments" : `"${path}"`} ${text}`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function renamed(node: SchemaNode, args: Record<string, unknown>): Record<string, unknown> {
  const known = node.properties ?? {};
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(args)) {
    const target = Object.hasOwn(known, name) || !Object.hasOwn(synonyms, name) ? undefined : synonyms[name];
    const usable = target !== undefined && Object.hasOwn(known, target) && !Object.hasOwn(args, target);
    setOwn(result, usable ? target : name, value);
  }
  return result;
}

/** Assigns an own property even for names such as `__proto__`. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

function parseValue(node: SchemaNode, given: unknown, path: string): unknown {
  if (node.anyOf) return parseAny(node.anyOf, given, path);
  const value = coerced(node, given);
  if (Object.hasOwn(node, "const") && value !== node.const) fail(path, `must be ${JSON.stringify(node.const)}`);
  if (node.enum && !node.enum.includes(value)) {
    fail(path, `must be one of ${node.enum.map((item) => JSON.stringify(item)).join(", ")}`);
  }
  switch (node.type) {
    case "string":
      return parseString(node, value, path);
    case "integer":
    case "number":
      return parseNumber(node, value, path);
    case "boolean":
      return typeof value === "boolean" ? value : fail(path, "must be true or false");
    case "null":
      return value === null ? value : fail(path, "must be null");
    case "array":
      return parseArray(node, value, path);
    case "object":
      return isRecord(value) ? parseObject(node, value, path) : fail(path, "must be an object");
    default:
      return value;
  }
}

function parseAny(members: readonly SchemaNode[], value: unknown, path: string): unknown {
  const problems: string[] = [];
  for (const member of members) {
    try {
      return parseValue(member, value, path);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      problems.push(error.message);
    }
  }
  throw new Mismatch([...new Set(problems)].join(", or "));
}

function parseString(node: SchemaNode, value: unknown, path: string): string {
  if (typeof value !== "string") fail(path, "must be a string");
  if (node.minLength !== undefined && value.length < node.minLength) {
    fail(path, node.minLength === 1 ? "must not be empty" : `must have at least ${node.minLength} characters`);
  }
  if (node.maxLength !== undefined && value.length > node.maxLength) {
    fail(path, `must have at most ${node.maxLength} characters`);
  }
  if (node.pattern !== undefined && !new RegExp(node.pattern, "u").test(value))
    fail(path, `must match ${node.pattern}`);
  return value;
}

function parseNumber(node: SchemaNode, value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) fail(path, "must be a number");
  if (node.type === "integer" && !Number.isInteger(value)) fail(path, "must be a whole number");
  if (node.minimum !== undefined && value < node.minimum) fail(path, `must be at least ${node.minimum}`);
  if (node.maximum !== undefined && value > node.maximum) fail(path, `must be at most ${node.maximum}`);
  if (node.exclusiveMinimum !== undefined && value <= node.exclusiveMinimum) {
    fail(path, `must be more than ${node.exclusiveMinimum}`);
  }
  if (node.exclusiveMaximum !== undefined && value >= node.exclusiveMaximum) {
    fail(path, `must be less than ${node.exclusiveMaximum}`);
  }
  return value;
}

function parseArray(node: SchemaNode, value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) fail(path, "must be a list");
  if (node.minItems !== undefined && value.length < node.minItems)
    fail(path, `must have at least ${node.minItems} items`);
  if (node.maxItems !== undefined && value.length > node.maxItems)
    fail(path, `must have at most ${node.maxItems} items`);
  const items = node.items;
  return items ? value.map((item, index) => parseValue(items, item, `${path}[${index}]`)) : value;
}

function parseObject(node: SchemaNode, value: Record<string, unknown>, path: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const required = new Set(node.required);
  const properties = node.properties ?? {};
  for (const [name, child] of Object.entries(properties)) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    // Models send null for "not given"; only a schema that names null wants it.
    const absent = given === undefined || (given === null && !required.has(name) && !acceptsNull(child));
    if (!absent) setOwn(result, name, parseValue(child, given, at(name)));
    else if (child.default !== undefined) setOwn(result, name, structuredClone(child.default));
    else if (required.has(name)) fail(at(name), "is required");
  }
  const open = Object.values(node.patternProperties ?? {})[0] ?? node.additionalProperties;
  for (const [name, item] of Object.entries(value)) {
    if (Object.hasOwn(properties, name) || item === undefined) continue;
    if (open === false) fail(at(name), "is not a parameter of this tool");
    if (typeof open === "object") setOwn(result, name, parseValue(open, item, at(name)));
    else if (open === true || node.properties === undefined) setOwn(result, name, item);
  }
  return result;
}

const acceptsNull = (node: SchemaNode): boolean =>
  node.type === "null" || node.type === undefined || (node.anyOf?.some(acceptsNull) ?? false);

/** "5" for a number, "true" for a boolean, one value for a list of one: what models get wrong without meaning something else. */
function coerced(node: SchemaNode, value: unknown): unknown {
  if (node.type === "integer" || node.type === "number") {
    return typeof value === "string" && /^-?\d{1,15}(\.\d+)?$/u.test(value.trim()) ? Number(value) : value;
  }
  if (node.type === "boolean") return value === "true" ? true : value === "false" ? false : value;
  if (node.type === "string") return typeof value === "number" ? String(value) : value;
  if (node.type === "array" && typeof value === "string" && node.items?.type === "string") {
    const list = value.startsWith("[") ? parsedJson(value) : undefined;
    return Array.isArray(list) ? list : [value];
  }
  if (node.type === "object" && typeof value === "string" && value.startsWith("{")) return parsedJson(value) ?? value;
  return value;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller keeps the string and validation names the problem.
    return undefined;
  }
}
