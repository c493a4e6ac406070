/** Characters that a person does not see, or that make text look like other text. Pure. */

const names = new Map<number, string>([
  [0x00, "null"],
  [0x07, "bell"],
  [0x08, "backspace"],
  [0x09, "tab"],
  [0x0a, "new line"],
  [0x0d, "carriage return"],
  [0x1b, "escape"],
  [0x7f, "delete"],
  [0xa0, "no-break space"],
  [0xad, "soft hyphen"],
  [0x200b, "zero-width space"],
  [0x200c, "zero-width non-joiner"],
  [0x200d, "zero-width joiner"],
  [0x200e, "left-to-right mark"],
  [0x200f, "right-to-left mark"],
  [0x2028, "line separator"],
  [0x2029, "paragraph separator"],
  [0x202a, "left-to-right embedding"],
  [0x202b, "right-to-left embedding"],
  [0x202c, "end of direction"],
  [0x202d, "left-to-right override"],
  [0x202e, "right-to-left override"],
  [0x2066, "left-to-right isolate"],
  [0x2067, "right-to-left isolate"],
  [0x2068, "first strong isolate"],
  [0x2069, "end of isolate"],
  [0xfeff, "byte order mark"],
]);

/** Controls, formats, separators, surrogates without a partner, blanks other than the space, and what is drawn as nothing. */
const hidden =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|\p{Variation_Selector}|[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]|(?! )\p{Zs}/u;

export interface Piece {
  text: string;
  /** Set for a character that must be shown by its name: `U+202E right-to-left override`. */
  name?: string;
}

/** The text in pieces, in order and complete: joined, their `text` is the text. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = "";
  for (const character of text) {
    if (!hidden.test(character)) {
      plain += character;
      continue;
    }
    if (plain !== "") pieces.push({ text: plain });
    plain = "";
    pieces.push({ text: character, name: nameOf(character) });
  }
  if (plain !== "") pieces.push({ text: plain });
  return pieces;
}

function nameOf(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  const name = names.get(point);
  return name === undefined ? code : `${code} ${name}`;
}
