/** JSON for stdout. Control characters that JSON allows raw (DEL and C1) are escaped too: a terminal obeys them. */
export const toJson = (value: unknown, indent = 2): string =>
  (JSON.stringify(value, null, indent) ?? "null").replace(
    /[\u007f-\u009f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
