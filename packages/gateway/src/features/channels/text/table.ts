/** Tables, which no messenger shows: as aligned code, as a list, or as they were typed (`markdown.tables`). */
import type { Tokens } from "marked";
import type { MarkdownOptions, Writer } from "./markdown.ts";
import { StyledBuilder } from "./styled.ts";

export function writeTable(
  out: StyledBuilder,
  table: Tokens.Table,
  as: MarkdownOptions["tables"],
  writer: Writer,
): void {
  if (as === "off") return out.add(table.raw.trim());
  if (as === "code") return out.styled({ style: "pre" }, () => out.add(aligned(table)));
  table.rows.forEach((row, index) => {
    if (index > 0) out.add("\n\n");
    const [first, ...rest] = row;
    if (first && first.text !== "") out.styled({ style: "bold" }, () => writer.inline(first.tokens, ""));
    rest.forEach((cell, column) => {
      if (cell.text === "") return;
      const header = table.header[column + 1];
      out.add("\n• ");
      if (header && header.text !== "") {
        writer.inline(header.tokens, "");
        out.add(": ");
      }
      writer.inline(cell.tokens, "");
    });
  });
  // A table of headings alone.
  if (table.rows.length === 0) out.add(table.header.map(cellText).join(" · "));
}

/** Wider columns are not padded: one long cell must not widen every line. */
const maxPadded = 40;

function aligned(table: Tokens.Table): string {
  const rows = [table.header, ...table.rows].map((row) => row.map(cellText));
  const widths = table.header.map((_, column) =>
    Math.min(maxPadded, Math.max(...rows.map((row) => widthOf(row[column] ?? "")), 1)),
  );
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => pad(row[column] ?? "", width, table.align[column] ?? null))
      .join(" | ")
      .trimEnd();
  const [header = [], ...body] = rows;
  return [line(header), widths.map((width) => "-".repeat(width)).join("-|-"), ...body.map(line)].join("\n");
}

function cellText(cell: Tokens.TableCell): string {
  return plainCell(cell.tokens).replace(/\s+/gu, " ").trim();
}

function plainCell(tokens: Tokens.TableCell["tokens"]): string {
  return tokens
    .map((token) => {
      if (token.type === "br") return " ";
      if ("tokens" in token && token.tokens) return plainCell(token.tokens);
      return "text" in token && typeof token.text === "string" ? token.text : token.raw;
    })
    .join("");
}

/** Columns in a fixed font: wide scripts and emoji take two. */
function widthOf(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/\p{M}|\u200d|\ufe0f/u.test(char)) continue;
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{20000}-\u{3fffd}]/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return width;
}

function pad(text: string, width: number, align: "center" | "left" | "right" | null): string {
  const missing = Math.max(0, width - widthOf(text));
  if (align === "right") return " ".repeat(missing) + text;
  if (align !== "center") return text + " ".repeat(missing);
  const left = Math.floor(missing / 2);
  return " ".repeat(left) + text + " ".repeat(missing - left);
}
