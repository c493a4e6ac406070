import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { readPdf } from "./pdf.ts";

const options = { maxPages: 4, maxChars: 10_000 };
const object = (id: number, body: string) => `${id} 0 obj\n${body}\nendobj\n`;
const stream = (id: number, text: string, more = "") =>
  object(id, `<< /Length ${text.length}${more} >>\nstream\n${text}\nendstream`);

function pdf(content: string, font: string, more = ""): Buffer {
  const parts = [
    "%PDF-1.4\n",
    object(1, "<< /Type /Catalog /Pages 2 0 R >>"),
    object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
    object(
      3,
      "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /X 8 0 R >> >> >>",
    ),
    stream(4, content),
    object(5, font),
    more,
    "trailer << /Root 1 0 R >>\n",
  ];
  return Buffer.from(parts.join(""), "latin1");
}
const plainFont = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";
const textOf = async (bytes: Buffer) => {
  const found = await readPdf(bytes, options);
  return "text" in found ? found.text : `refused: ${found.refused}`;
};

test("strings in every form, gaps that are spaces, lines", async () => {
  const content = String.raw`BT /F1 12 Tf 1 0 0 1 72 700 Tm (A \(b\) \101\
c) Tj T* <48656C6C6F> Tj 0 -14 Td [(W) -20 (orld) -400 (again)] TJ (next) ' ET`;
  expect(await textOf(pdf(content, plainFont))).toBe("A (b) Ac\nHello\nWorld again\nnext");
});

test("codes mean what the font's table says", async () => {
  const cmap =
    "1 beginbfchar <0003> <0041> endbfchar 1 beginbfrange <0010> <0012> <0062> endbfrange 1 beginbfrange <0020> <0021> [<00660069> <D83DDE00>] endbfrange";
  const font = "<< /Type /Font /Subtype /Type0 /ToUnicode 6 0 R >>";
  const bytes = pdf("BT /F1 9 Tf <00030010001100120020002100FF> Tj ET", font, stream(6, cmap));
  expect(await textOf(bytes)).toBe("Abcdfi😀");
});

test("names of glyphs, and the bytes of Windows for the rest", async () => {
  const font = "<< /Type /Font /Subtype /Type1 /Encoding << /Differences [1 /A /space /eacute /uni20AC] >> >>";
  expect(await textOf(pdf("BT /F1 9 Tf <01020304E9> Tj ET", font))).toBe("A é€é");
});

test("text inside forms is read, and forms that draw themselves end", async () => {
  const form = stream(8, "BT /F1 9 Tf (inside) Tj ET /X Do", " /Type /XObject /Subtype /Form");
  expect(await textOf(pdf("/X Do", plainFont, form))).toContain("inside");
});

test("objects in packed streams are found", async () => {
  const packed = "<< /Type /Catalog /Pages 2 0 R >> << /Type /Pages /Kids [3 0 R] /Count 1 >>";
  const body = deflateSync(Buffer.from(`1 0 2 34 ${packed}`)).toString("latin1");
  const bytes = Buffer.from(
    [
      "%PDF-1.5\n",
      stream(9, body, " /Type /ObjStm /N 2 /First 9 /Filter /FlateDecode"),
      object(3, "<< /Type /Page /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"),
      stream(4, "BT /F1 9 Tf (packed) Tj ET"),
      object(5, plainFont),
    ].join(""),
    "latin1",
  );
  expect(await textOf(bytes)).toBe("packed");
});

test("what is broken is refused or empty, never thrown", async () => {
  const good = pdf("BT /F1 12 Tf (Hello) Tj ET", plainFont).toString("latin1");
  for (let cut = 0; cut < good.length; cut += 7)
    expect(await textOf(Buffer.from(good.slice(0, cut), "latin1"))).toBeTypeOf("string");
  for (const odd of [
    "<<".repeat(5_000),
    "[".repeat(50_000),
    "(".repeat(50_000),
    "1 0 obj ".repeat(5_000),
    "<".repeat(50_000),
  ])
    expect(await textOf(Buffer.from(`%PDF-1.4\n1 0 obj\n${odd}`))).toContain("refused");
  const loop = ["%PDF-1.4\n", object(1, "<< /Type /Catalog /Pages 2 0 R >>"), object(2, "<< /Kids [2 0 R 2 0 R] >>")];
  expect(await textOf(Buffer.from(loop.join("")))).toContain("no pages");
  const circle = ["%PDF-1.4\n", object(1, "2 0 R"), object(2, "1 0 R"), "trailer << /Root 1 0 R >>"];
  expect(await textOf(Buffer.from(circle.join("")))).toContain("no pages");
});
