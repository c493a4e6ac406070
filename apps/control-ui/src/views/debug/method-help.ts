/** What a method of the contract takes and gives, in a form a person can read. Pure. */
import { methods } from "@openclaw/protocol/schema";

interface Schema {
  type?: unknown;
  const?: unknown;
  enum?: unknown;
  anyOf?: unknown;
  items?: unknown;
  properties?: unknown;
  required?: unknown;
  description?: unknown;
  patternProperties?: unknown;
  minimum?: unknown;
  maximum?: unknown;
}

export interface ParamHelp {
  name: string;
  type: string;
  required: boolean;
  help: string;
}

export interface MethodHelp {
  summary: string;
  scope: string;
  params: readonly ParamHelp[];
  /** A beginning for the params: what is required, with empty values. */
  template: string;
}

export function methodHelp(name: string): MethodHelp | undefined {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (!method) return undefined;
  const schema: Schema = method.params;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const params = Object.entries((schema.properties ?? {}) as Record<string, Schema>).map(([key, property]) => ({
    name: key,
    type: typeText(property),
    required: required.has(key),
    help: [property.description, rangeText(property)]
      .filter((part) => typeof part === "string" && part !== "")
      .join(" "),
  }));
  const template: Record<string, unknown> = {};
  for (const param of params) if (param.required) template[param.name] = emptyOf(param.type);
  return { summary: method.summary, scope: method.scope, params, template: JSON.stringify(template, null, 2) };
}

export function typeText(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(schema.anyOf)) return [...new Set(schema.anyOf.map((part: Schema) => typeText(part)))].join(" | ");
  if (schema.type === "array") return `list of ${typeText((schema.items ?? {}) as Schema)}`;
  if (typeof schema.type === "string") return schema.type;
  return "anything";
}

function rangeText({ minimum, maximum }: Schema): string {
  if (typeof minimum === "number" && typeof maximum === "number") return `${minimum} to ${maximum}.`;
  if (typeof minimum === "number" && minimum !== 0) return `At least ${minimum}.`;
  if (typeof maximum === "number") return `At most ${maximum}.`;
  return "";
}

function emptyOf(type: string): unknown {
  if (type.startsWith("list")) return [];
  if (type === "boolean") return false;
  if (type === "integer" || type === "number") return 0;
  if (type === "object") return {};
  return "";
}
