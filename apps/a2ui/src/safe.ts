/** What of an agent's text may become an address, a pattern or a font. */

/** https, pictures in the address itself, and addresses of this site. Undefined for anything else. */
export function safeUrl(text: string, base: string): string | undefined {
  const given = text.trim();
  if (/^data:image\/(?:png|jpe?g|gif|webp|svg\+xml)[;,]/i.test(given)) return given;
  if (!URL.canParse(given, base)) return undefined;
  const url = new URL(given, base);
  // Not by origin: addresses of an app's own scheme, of files and of scripts all have the origin `null`.
  const { protocol, host } = new URL(base);
  return url.protocol === "https:" || (host !== "" && url.protocol === protocol && url.host === host)
    ? url.href
    : undefined;
}

const maxPattern = 256;
/** Side by side, repetitions share a text in ever more ways: by their number, how long it may be and how many choices the pattern
 *  may have beside them. A pattern that begins anywhere has one more. */
const bounds: readonly { chars: number; optionals: number }[] = [
  { chars: 300, optionals: 8 },
  { chars: 300, optionals: 8 },
  { chars: 300, optionals: 8 },
  { chars: 300, optionals: 3 },
  { chars: 100, optionals: 3 },
];

/** Whether a text fits a pattern; true for patterns that are none, or that could take for ever. */
export function fits(pattern: string, text: string): boolean {
  if (pattern.length > maxPattern || text.length > quickChars(pattern)) return true;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true; // Not a pattern.
  }
}

/** How long a text may be for the pattern to be quick, or -1: with no repetition of what varies itself, no references and few
 *  repetitions in all, the time has a bound. */
function quickChars(pattern: string): number {
  // What a class or an escape stands for is one character.
  const plain = pattern.replace(/\\[^\d]|\[(?:\\.|[^\]\\])*\]/gs, "x").replace(/\(\?(?::|<?[=!]|<\w+>)/g, "(");
  if (plain.includes("\\")) return -1;
  const groups: boolean[] = [];
  let varies = false;
  let anchored = plain.startsWith("^");
  let repeats = 0;
  let optionals = 0;
  for (const [at, char] of Array.from(plain).entries()) {
    const next = plain[at + 1] ?? "";
    if (char === "(") {
      groups.push(varies);
      varies = false;
    } else if (char === ")") {
      if (varies && "*+{".includes(next || "x")) return -1;
      varies = (groups.pop() ?? false) || varies;
    } else if (char === "*" || char === "+" || char === "{") {
      if (char !== "{" || /^\{\d*,/.test(plain.slice(at, at + 8))) repeats++;
      varies = true;
    } else if (char === "?" || char === "|") {
      optionals++;
      varies = true;
      // The other branch begins anywhere.
      if (char === "|" && groups.length === 0) anchored = false;
    }
  }
  const bound = bounds[repeats + (anchored ? 0 : 1)];
  return bound && optionals <= bound.optionals ? bound.chars : -1;
}

export const safeFont = (font: string): string | undefined =>
  /^[\w ,'"-]{1,100}$/.test(font) ? `${font}, system-ui, sans-serif` : undefined;

export const safeColor = (color: string): string | undefined => (/^#[0-9a-f]{6}$/i.test(color) ? color : undefined);
