/** Reading answers, which come from outside. */

const maxLength = 4096;

/** A trimmed line; anything that is no text, or far too long to be an answer, is empty. */
export const textOf = (value: unknown): string =>
  typeof value === "string" && value.length <= maxLength && !/[\p{Cc}]/u.test(value.trim()) ? value.trim() : "";

export const oneOf = <const T extends readonly string[]>(value: unknown, choices: T): T[number] | undefined =>
  choices.find((choice) => choice === value);
