/** Reading fields of a request body: what is wrong with one is said with its name (http.md §8.1, §9.2). `null` means absent. */
import { HttpError } from "../../kernel/http.ts";

export type Body = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const invalid = (message: string, param?: string, cause?: unknown): HttpError =>
  new HttpError(400, message, { cause, ...(param === undefined ? {} : { param }) });

/** Throws for JSON that is not an object. */
export function bodyOf(value: unknown): Body {
  if (!isRecord(value)) throw invalid("The request body must be a JSON object.");
  return value;
}

const present = (value: unknown): boolean => value !== undefined && value !== null;

export function numberIn(body: Body, name: string, min: number, max: number): number | undefined {
  const value = body[name];
  if (!present(value)) return undefined;
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw invalid(`\`${name}\` must be between ${min} and ${max}.`, name);
}

export function integer(body: Body, name: string): number | undefined {
  const value = body[name];
  if (!present(value)) return undefined;
  if (Number.isSafeInteger(value)) return value as number;
  throw invalid(`\`${name}\` must be an integer.`, name);
}

export function positiveInteger(body: Body, name: string): number | undefined {
  const value = body[name];
  if (!present(value)) return undefined;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw invalid(`\`${name}\` must be a positive integer.`, name);
}

export function flag(body: Body, name: string): boolean {
  const value = body[name];
  if (!present(value)) return false;
  if (typeof value === "boolean") return value;
  throw invalid(`\`${name}\` must be a boolean.`, name);
}

export function text(body: Body, name: string): string | undefined {
  const value = body[name];
  if (!present(value)) return undefined;
  if (typeof value === "string") return value;
  throw invalid(`\`${name}\` must be a string.`, name);
}

/** One text or at most four, none of them empty. */
export function stopTexts(body: Body): string[] | undefined {
  const value = body["stop"];
  if (!present(value)) return undefined;
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length > 4 || texts.some((one) => typeof one !== "string" || one === ""))
    throw invalid("`stop` must be a string or at most 4 non-empty strings.", "stop");
  return texts.length === 0 ? undefined : (texts as string[]);
}

/** The fields of `given` that have a value. */
export function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
