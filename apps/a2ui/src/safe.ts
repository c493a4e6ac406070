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
const maxInput = 300;
/** Side by side they share a text in ever more ways. */
const maxRepeats = 3;
const maxOptionals = 8;

/** Whether a text fits a pattern; true for patterns that are none, or that could take for ever. */
export function fits(pattern: string, text: string): boolean {
  if (pattern.length > maxPattern || text.length > maxInput || !isQuick(pattern)) return true;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true; // Not a pattern.
  }
}

/** No repetition of what varies itself, no references, and few repetitions in all: then the time for a text has a bound. */
function isQuick(pattern: string): boolean {
  // What a class or an escape stands for is one character.
  const plain = pattern.replace(/\\[^\d]|\[(?:\\.|[^\]\\])*\]/gs, "x").replace(/\(\?(?::|<?[=!]|<\w+>)/g, "(");
  if (plain.includes("\\")) return false;
  const groups: boolean[] = [];
  let varies = false;
  let repeats = 0;
  let optionals = 0;
  for (const [at, char] of Array.from(plain).entries()) {
    const next = plain[at + 1] ?? "";
    if (char === "(") {
      groups.push(varies);
      varies = false;
    } else if (char === ")") {
      if (varies && "*+{".includes(next || "x")) return false;
      varies = (groups.pop() ?? false) || varies;
    } else if (char === "*" || char === "+" || char === "{") {
      if (char !== "{" || /^\{\d*,/.test(plain.slice(at, at + 8))) repeats++;
      varies = true;
    } else if (char === "?" || char === "|") {
      optionals++;
      varies = true;
    }
  }
  return repeats <= maxRepeats && optionals <= maxOptionals;
}

export const safeFont = (font: string): string | undefined =>
  /^[\w ,'"-]{1,100}$/.test(font) ? `${font}, system-ui, sans-serif` : undefined;

export const safeColor = (color: string): string | undefined => (/^#[0-9a-f]{6}$/i.test(color) ? color : undefined);
