/** Colours and widths of human output (cli.md §1.2). Without colour every function returns its text unchanged. */
import type { Io, Output } from "../io.ts";

const palette = {
  accent: "#FF5A2D",
  bright: "#FF7A3D",
  info: "#FF8A5B",
  success: "#2FBF71",
  warn: "#FFB020",
  error: "#E23D2D",
  muted: "#8B7F77",
} as const;

export type Style = Readonly<Record<keyof typeof palette, (text: string) => string>>;

/** On a terminal, or with FORCE_COLOR; NO_COLOR, `--no-color` and TERM=dumb win. */
export function usesColor(output: Pick<Output, "isTTY">, env: Io["env"]): boolean {
  if (env.NO_COLOR || env.TERM === "dumb") return false;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== "") return forced !== "0";
  return output.isTTY;
}

export function styleFor(output: Output, env: Io["env"]): Style {
  const color = usesColor(output, env);
  const paint = (hex: string) => {
    if (!color) return (text: string) => text;
    const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
    return (text: string) => `\u001b[38;2;${r};${g};${b}m${text}\u001b[39m`;
  };
  const names = Object.entries(palette) as [keyof typeof palette, string][];
  return Object.fromEntries(names.map(([name, hex]) => [name, paint(hex)])) as Style;
}

/** Columns of the terminal, or 80 when it does not say (some report 0). */
export const widthOf = (output: Output): number => Math.max(40, output.columns || 80);

const escapes = /\u001b\[[0-9;]*m/g;
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;

/** Columns a text takes, colours not counted. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const letter of text.replace(escapes, "")) {
    if (/\p{Mark}|\u200d|\ufe0f/u.test(letter)) continue;
    width += wide.test(letter) ? 2 : 1;
  }
  return width;
}

/** Breaks plain text at spaces. Words longer than a line stay whole: a cut path or URL is useless. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line && displayWidth(line) + 1 + displayWidth(word) > width) {
        lines.push(line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    lines.push(line);
  }
  return lines;
}

/** Lines of a page as the terminal holds them: what is wider goes on below, two columns further in. Frames of tables fit
 *  already. Without a terminal lines may be long: other programs read them. */
export function folded(output: Output, lines: readonly string[]): string[] {
  if (!output.isTTY) return [...lines];
  const width = widthOf(output);
  return lines.flatMap((line) => {
    if (displayWidth(line) <= width) return [line];
    const indent = /^ */u.exec(line)?.[0] ?? "";
    const parts = wrap(line.slice(indent.length), width - indent.length - 2);
    return parts.map((part, i) => `${indent}${i === 0 ? "" : "  "}${part}`);
  });
}

/** Rows of `left  right`, the right column wrapped and aligned. */
export function columns(
  rows: readonly (readonly [string, string])[],
  width: number,
  paint = (text: string) => text,
): string[] {
  const left = Math.min(36, Math.max(...rows.map(([name]) => displayWidth(name)), 0));
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(20, width - left - 4));
    const pad = " ".repeat(Math.max(0, left - displayWidth(name)));
    const over = displayWidth(name) > left;
    const head = over ? [`  ${paint(name)}`] : [`  ${paint(name)}${pad}  ${lines.shift() ?? ""}`.trimEnd()];
    return [...head, ...lines.map((line) => `${" ".repeat(left + 4)}${line}`)];
  });
}
