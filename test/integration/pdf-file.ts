/** Small PDF files for tests: real objects, offsets left out, since readers must not depend on them. */
import { deflateSync } from "node:zlib";

export interface PdfParts {
  pages: string[][];
  packed?: boolean;
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
  parts.push(Buffer.from(`trailer << /Root 1 0 R${encrypted ? " /Encrypt 9 0 R" : ""} >>\n%%EOF\n`));
  return Buffer.concat(parts);
}

/** A file whose one page unpacks to `bytes` spaces. */
export function pdfBomb(bytes: number): Buffer {
  const stream = deflateSync(Buffer.alloc(bytes, " "));
  return Buffer.concat([
    Buffer.from(
      `%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Contents 4 0 R >>\nendobj\n4 0 obj\n<< /Length ${stream.length} /Filter /FlateDecode >>\nstream\n`,
    ),
    stream,
    Buffer.from("\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n"),
  ]);
}
