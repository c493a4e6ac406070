/** What of an agent's text may become an address, a pattern or a font. */

/** https, pictures in the address itself, and addresses of this site. Undefined for anything else. */
export function safeUrl(text: string, base: string): string | undefined {
  const given = text.trim();
  if (/^data:image\/(?:png|jpe?g|gif|webp|svg\+xml)[;,]/i.test(given)) return given;
  if (!URL.canParse(given, base)) return undefined;
  const url = new URL(given, base);
  return url.protocol === "https:" || url.origin === new URL(base).origin ? url.href : undefined;
}

const maxPattern = 256;
const maxInput = 1_000;

/** Whether a text fits a pattern; true for patterns that are none. */
export function fits(pattern: string, text: string): boolean {
  if (pattern.length > maxPattern || text.length > maxInput) return true;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true; // Not a pattern.
  }
}

export const safeFont = (font: string): string | undefined =>
  /^[\w ,'"-]{1,100}$/.test(font) ? `${font}, system-ui, sans-serif` : undefined;

export const safeColor = (color: string): string | undefined => (/^#[0-9a-f]{6}$/i.test(color) ? color : undefined);
