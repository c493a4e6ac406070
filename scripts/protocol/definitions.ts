/** Turns the TypeBox values into named JSON Schema definitions: one per `$id`, and one for the params, result, acknowledgement
 *  and payload of every method and event. References replace nested named shapes. */
import type { EventDefinition, MethodDefinition } from "../../packages/protocol/src/define.ts";

/** The part of JSON Schema (draft-07) that the spaces use. */
export interface JsonSchema {
  $ref?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: (string | null)[];
  const?: string | number | boolean;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

/** Definition names of one method. */
export interface MethodNames {
  params: string;
  result: string;
  ack?: string;
}

export interface Definitions {
  /** By name, in order of first use. */
  shapes: Map<string, JsonSchema>;
  methods: Map<string, MethodNames>;
  /** Definition of the payload by event name. */
  events: Map<string, string>;
}

const supported = new Set([
  "$ref",
  "description",
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "anyOf",
  "enum",
  "const",
  "pattern",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
]);

/** `device.pair.list` → `DevicePairList`. */
export const pascal = (name: string): string =>
  name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");

export const refName = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

class Collector {
  readonly shapes = new Map<string, JsonSchema>();

  /** Puts a shape under a name; a second, different shape of that name is an error. */
  put(name: string, shape: JsonSchema): void {
    const known = this.shapes.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(shape)) {
      throw new Error(`two different shapes are called ${name}`);
    }
    this.shapes.set(name, shape);
  }

  /** The schema with its named parts replaced by references. */
  take(value: unknown): JsonSchema {
    const schema = asRecord(value);
    const { $id: id, ...rest } = schema;
    const shape = this.convert(rest);
    if (id === undefined) return shape;
    this.put(String(id), shape);
    return { $ref: `#/definitions/${String(id)}` };
  }

  private convert(schema: Record<string, unknown>): JsonSchema {
    const shape: Record<string, unknown> = {};
    for (const key of Object.keys(schema).toSorted(byRank)) {
      if (!supported.has(key)) throw new Error(`JSON Schema keyword "${key}" is not supported by the generator`);
      const value = schema[key];
      if (key === "properties") {
        shape[key] = Object.fromEntries(
          Object.entries(asRecord(value)).map(([name, inner]) => [name, this.take(inner)]),
        );
      } else if (key === "anyOf") shape[key] = asList(value).map((inner) => this.take(inner));
      else if (key === "items") shape[key] = this.take(value);
      else if (key === "additionalProperties") shape[key] = typeof value === "boolean" ? value : this.take(value);
      else shape[key] = value;
    }
    return shape;
  }
}

const rank = [...supported];
const byRank = (a: string, b: string): number => rank.indexOf(a) - rank.indexOf(b);

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("a schema must be an object");
  return Object.fromEntries(Object.entries(value));
}

function asList(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error("anyOf must be a list");
  return value;
}

export function collect(
  methods: MethodDefinition[],
  events: EventDefinition[],
  frames: Record<string, unknown>,
): Definitions {
  const collector = new Collector();
  /** Unnamed schemas get `name`; named ones keep theirs. */
  const named = (name: string, schema: unknown): string => {
    const taken = collector.take(schema);
    if (taken.$ref !== undefined) return refName(taken.$ref);
    collector.put(name, taken);
    return name;
  };
  for (const [name, schema] of Object.entries(frames)) named(name, schema);
  const methodNames = new Map<string, MethodNames>();
  for (const method of methods) {
    const base = pascal(method.name);
    methodNames.set(method.name, {
      params: named(`${base}Params`, method.params),
      result: named(`${base}Result`, method.result),
      ...(method.ack === undefined ? {} : { ack: named(`${base}Ack`, method.ack) }),
    });
  }
  const eventNames = new Map<string, string>();
  for (const event of events) eventNames.set(event.name, named(`${pascal(event.name)}Event`, event.payload));
  return { shapes: collector.shapes, methods: methodNames, events: eventNames };
}
