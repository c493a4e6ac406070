/** Short forms for declaring config keys. A key made by `opt*` may be absent; the others always have a value. */
import { Type, type TSchema, type TUnsafe } from "typebox";

export interface KeyOptions {
  /** Reload class, when it differs from the group's. */
  reload?: string;
  /** On an open map: the class of entries that come or go. */
  entryReload?: string;
  /** On a group that may be absent: the class of its own coming and going. */
  ownReload?: string;
  sensitive?: true;
  advanced?: true;
  placeholder?: string;
  label?: string;
}

type Keys = Record<string, TSchema>;

/** A closed group of keys. */
export const group = <const P extends Keys>(description: string, keys: P, options: KeyOptions = {}) =>
  Type.Object(keys, { additionalProperties: false, description, ...options });
/** A closed group that may be absent. */
export const optGroup = <const P extends Keys>(description: string, keys: P, options: KeyOptions = {}) =>
  Type.Optional(group(description, keys, options));

/** A text that, when given, is not empty. */
export const text = (description: string, options: KeyOptions = {}) =>
  Type.Optional(Type.String({ minLength: 1, description, ...options }));
export const secret = (description: string, options: KeyOptions = {}) =>
  text(description, { sensitive: true, ...options });
/** A text matching `pattern`, which must be anchored. */
export const pattern = (expression: string, description: string, options: KeyOptions = {}) =>
  Type.Optional(Type.String({ pattern: expression, description, ...options }));
export const textOr = (value: string, description: string, options: KeyOptions = {}) =>
  Type.String({ default: value, description, ...options });

export const flag = (value: boolean, description: string, options: KeyOptions = {}) =>
  Type.Boolean({ default: value, description, ...options });
export const optFlag = (description: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Boolean({ description, ...options }));

interface Range extends KeyOptions {
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
}

/** A whole number, ≥ 1 unless the range says otherwise. */
export const whole = (value: number, description: string, range: Range = {}) =>
  Type.Integer({ default: value, minimum: 1, description, ...range });
export const optWhole = (description: string, range: Range = {}) =>
  Type.Optional(Type.Integer({ minimum: 1, description, ...range }));
export const number = (value: number, description: string, range: Range = {}) =>
  Type.Number({ default: value, description, ...range });
export const optNumber = (description: string, range: Range = {}) =>
  Type.Optional(Type.Number({ description, ...range }));

const oneOf = <const V extends readonly string[]>(values: V, options: object): TUnsafe<V[number]> =>
  Type.Unsafe<V[number]>({ type: "string", enum: [...values], ...options });
/** One of several words; the first argument is the default. */
export const choice = <const V extends readonly string[]>(
  value: V[number],
  values: V,
  description: string,
  options: KeyOptions = {},
) => oneOf(values, { default: value, description, ...options });
export const optChoice = <const V extends readonly string[]>(
  values: V,
  description: string,
  options: KeyOptions = {},
) => Type.Optional(oneOf(values, { description, ...options }));

/** A list of texts. */
export const texts = (value: readonly string[], description: string, options: KeyOptions = {}) =>
  Type.Array(Type.String(), { default: [...value], description, ...options });
export const optTexts = (description: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Array(Type.String(), { description, ...options }));
export const optList = <T extends TSchema>(item: T, description: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Array(item, { description, ...options }));

/** A map whose names the user chooses. */
export const optMap = <T extends TSchema>(item: T, description: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Record(Type.String(), item, { description, ...options }));
/** A map of names to texts. */
export const optTextMap = (description: string, options: KeyOptions = {}) =>
  optMap(Type.String(), description, options);
/** Whatever the owner of the place makes of it. */
export const optOpen = (description: string, options: KeyOptions = {}) =>
  Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description, ...options }));
