/** Tables: boxes on a UTF-8 terminal, aligned columns elsewhere, so that pipes and logs stay readable. */
import type { Io } from "../io.ts";
import { cleanLine } from "./clean.ts";
import { displayWidth, styleFor, widthOf } from "./style.ts";

function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text + " ".repeat(width - displayWidth(text));
  let cut = "";
  for (const letter of text) {
    if (displayWidth(cut + letter) > width - 1) break;
    cut += letter;
  }
  return `${cut}…${" ".repeat(Math.max(0, width - 1 - displayWidth(cut)))}`;
}

/** Shrinks the widest columns until the row fits; none goes under eight columns. */
function shrink(widths: number[], room: number): void {
  while (widths.reduce((sum, width) => sum + width, 0) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= 8) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

/** The lines of a table. Cells are plain text and are cleaned here. */
export function table(io: Io, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => head.map((_, i) => cleanLine(row[i] ?? "")));
  const widths = head.map((name, i) => Math.max(displayWidth(name), ...cells.map((row) => displayWidth(row[i] ?? ""))));
  const style = styleFor(io.stdout, io.env);
  const locale = io.env.LC_ALL || io.env.LC_CTYPE || io.env.LANG || "UTF-8";
  if (!io.stdout.isTTY || !/utf-?8/i.test(locale)) {
    const line = (row: readonly string[]) =>
      row
        .map((cell, i) => fit(cell, widths[i] ?? 0))
        .join("  ")
        .trimEnd();
    return [line(head), ...cells.map(line)];
  }
  shrink(widths, widthOf(io.stdout) - 3 * head.length - 1);
  const rule = (left: string, middle: string, right: string) =>
    style.muted(left + widths.map((width) => "─".repeat(width + 2)).join(middle) + right);
  const bar = style.muted("│");
  const line = (row: readonly string[], paint: (text: string) => string) =>
    `${bar} ${row.map((cell, i) => paint(fit(cell, widths[i] ?? 0))).join(` ${bar} `)} ${bar}`;
  return [
    rule("┌", "┬", "┐"),
    line(head, style.accent),
    rule("├", "┼", "┤"),
    ...cells.map((row) => line(row, (text) => text)),
    rule("└", "┴", "┘"),
  ];
}
