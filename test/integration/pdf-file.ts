/** Small PDF files for tests: real objects, offsets left out, since readers must not depend on them. */
import { deflateSync } from "node:zlib";

export interface PdfParts {
  pages: string[][];
  packed?: boolean;
  /** With a password nobody knows. */
  encrypted?: boolean;
}

/** One line of text per entry, drawn below each other. */
export function pdfFile({ pages, packed = true, encrypted = false }: PdfParts): Buffer {
  const parts: Buffer[] = [Buffer.from("%PDF-1.4\n%\xe2\xe3\n", "latin1")];
  const add = (id: number, body: string | Buffer[]) => {
    parts.push(Buffer.from(`${id} 0 obj\n`), ...(typeof body === "string" ? [Buffer.from(body)] : body));
    parts.push(Buffer.from("\nendobj\n"));
  };
  const first = 10;
  const kids = pages.map((_, index) => `${first + index * 2} 0 R`).join(" ");
  add(1, "<< /Type /Catalog /Pages 2 0 R >>");
  add(2, `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} /Resources << /Font << /F1 3 0 R >> >> >>`);
  add(3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  for (const [index, lines] of pages.entries()) {
    const drawn = lines.map((line) => `(${line.replace(/[()\\]/g, "\\$&")}) Tj 0 -14 Td`).join("\n");
    const content = Buffer.from(`BT /F1 12 Tf 72 720 Td\n${drawn}\nET`, "latin1");
    const stream = packed ? deflateSync(content) : content;
    const filter = packed ? " /Filter /FlateDecode" : "";
    add(first + index * 2, `<< /Type /Page /Parent 2 0 R /Contents ${first + index * 2 + 1} 0 R >>`);
    add(first + index * 2 + 1, [
      Buffer.from(`<< /Length ${stream.length}${filter} >>\nstream\n`),
      stream,
      Buffer.from("\nendstream"),
    ]);
  }
  const hash = (digit: string) => `<${digit.repeat(64)}>`;
  if (encrypted) add(9, `<< /Filter /Standard /V 1 /R 2 /O ${hash("a")} /U ${hash("b")} /P -4 >>`);
  const lock = encrypted ? " /Encrypt 9 0 R /ID [<00> <00>]" : "";
  parts.push(Buffer.from(`trailer << /Root 1 0 R${lock} >>\n%%EOF\n`));
  return Buffer.concat(parts);
}

/** A file whose one page has `count` streams that unpack to so many megabytes of spaces each. */
export function pdfBomb(megabytes: number, count: number): Buffer {
  const stream = deflateSync(deflateSync(Buffer.alloc(megabytes * 1024 * 1024, " ")));
  const ids = Array.from({ length: count }, (_, index) => index + 10);
  const page = `<< /Type /Page /Parent 2 0 R /Contents [${ids.map((id) => `${id} 0 R`).join(" ")}] >>`;
  const parts = [
    "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
    "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n",
    `3 0 obj\n${page}\nendobj\n`,
  ].map((part) => Buffer.from(part));
  for (const id of ids) {
    const head = `${id} 0 obj\n<< /Length ${stream.length} /Filter [/FlateDecode /FlateDecode] >>\nstream\n`;
    parts.push(Buffer.from(head), stream, Buffer.from("\nendstream\nendobj\n"));
  }
  return Buffer.concat([...parts, Buffer.from("trailer << /Root 1 0 R >>\n")]);
}
