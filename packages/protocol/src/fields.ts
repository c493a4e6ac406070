/** The small vocabulary in which the spaces are written. Nothing here knows a method. */
import { Type, type Static, type TSchema } from "typebox";

export const str = Type.String();
export const str1 = Type.String({ minLength: 1 });
export const bool = Type.Boolean();
export const num = Type.Number();
export const int = Type.Integer();
/** Integer from 0. */
export const count = Type.Integer({ minimum: 0 });
/** Milliseconds since the epoch, or a duration in milliseconds where the field name says so. */
export const ms = Type.Integer({ minimum: 0 });
export const strings = Type.Array(str);
export const names = Type.Array(str1);
/** Any JSON value. In params of "open" methods also a value whose type the handler judges. */
export const json = Type.Unknown();
/** Any JSON object, as a handler writes it. */
export const anyObject = Type.Unsafe<object>({ type: "object" });
/** Any JSON object, as a reader takes it apart. */
export const dictionary = Type.Unsafe<Record<string, unknown>>({ type: "object" });
export const ok = Type.Literal(true);

export const opt = Type.Optional;
export const list = Type.Array;

/** One of some strings. One error text, "must be equal to one of the allowed values" (protocol.md §9.4). */
export const choice = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  Type.Unsafe<Values[number]>({ enum: [...values] });

/** The schema or `null`. Plain types and choices stay one schema, so that a wrong value makes one error, not two. */
export function nullable<T extends TSchema>(schema: T) {
  const plain: Record<string, unknown> = Object.fromEntries(Object.entries(schema));
  const { type, enum: allowed } = plain;
  if (Array.isArray(allowed)) return Type.Unsafe<Static<T> | null>({ ...plain, enum: [...allowed, null] });
  if (typeof type === "string" && !("$id" in plain) && !("properties" in plain)) {
    return Type.Unsafe<Static<T> | null>({ ...plain, type: [type, "null"] });
  }
  return Type.Unsafe<Static<T> | null>({ anyOf: [schema, { type: "null" }] });
}

/** The schema with a sentence for the reference page and the Swift models. Not for shapes that have a name. */
export const doc = <T extends TSchema>(text: string, schema: T) =>
  Type.Unsafe<Static<T>>({ ...Object.fromEntries(Object.entries(schema)), description: text });

/** An object used as a map from any key to one kind of value. */
export const map = <T extends TSchema>(value: T) =>
  Type.Unsafe<Record<string, Static<T>>>({ type: "object", additionalProperties: value });

/** Params: an unknown key is an error (and ignored for clients of protocol 4). */
export const closed = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

/** Params or parts of results that may carry more keys. */
export const open = <P extends Record<string, TSchema>>(properties: P) => Type.Object(properties);

/** A shape with a name of its own: one definition in the JSON Schema, one type in Swift. May carry more keys. */
export const model = <P extends Record<string, TSchema>>(id: string, properties: P) =>
  Type.Object(properties, { $id: id });

/** A named shape that carries these keys and no others. */
export const sealed = <P extends Record<string, TSchema>>(id: string, properties: P) =>
  Type.Object(properties, { $id: id, additionalProperties: false });

/** Shapes that several spaces use. */
export const agentId = str1;
export const sessionKey = str1;
export const idempotencyKey = str1;
/** Calendar day, YYYY-MM-DD, UTC. */
export const day = Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" });
export const label = Type.String({ minLength: 1, maxLength: 64 });
