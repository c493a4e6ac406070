/** The same program in characters of one byte. A single wider one makes the engine keep the whole file in two bytes per character:
 *  2.5 MB of the running gateway for some hundred dashes and arrows. Throws for a text that is meant without its escapes. */
export function narrow(code: string): string {
  if (/String\.raw`[^`]*[^\0-\u00ff]/u.test(code)) throw new Error("String.raw with a character beyond Latin-1");
  return code.replace(/\\[^]|[^\0-\u00ff]/gu, (found) => {
    const character = found.startsWith("\\") ? found.slice(1) : found;
    if (/^[\0-\u00ff]$/u.test(character)) return found;
    // The end of a line that goes on: it stands for nothing.
    if (found !== character && /[\u2028\u2029]/u.test(character)) return "";
    // A backslash before the character would be one before the backslash of its escape.
    return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i).toString(16).padStart(4, "0"))
      .map((unit) => `\\u${unit}`)
      .join("");
  });
}
