import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { systemWorld } from "../../kernel/world.ts";
import { PdfProcesses, pdfProcessLimits } from "./pdf-process.ts";

const options = { maxPages: 4, maxChars: 10_000 };
const never = new AbortController().signal;
const object = (id: number, body: string) => `${id} 0 obj\n${body}\nendobj\n`;
const stream = (id: number, text: string, more = "") =>
  object(id, `<< /Length ${text.length}${more} >>\nstream\n${text}\nendstream`);
const many = (count: number, one: (id: number) => string) => Array.from({ length: count }, (_, id) => one(id + 1));
const file = (...parts: string[]) => Buffer.from(["%PDF-1.4\n", ...parts].join(""), "latin1");
const tree = object(1, "<< /Type /Catalog /Pages 2 0 R >>") + object(2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>");
const end = "trailer << /Root 1 0 R >>\n%%EOF\n";
const page = (more: string) => object(3, `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] ${more} >>`);
const fontPage = (font: string, ...more: string[]) =>
  file(
    tree,
    page("/Contents 4 0 R /Resources << /Font << /F 5 0 R >> >>"),
    stream(4, "BT /F 12 Tf 72 700 Td (Hello) Tj ET"),
    object(5, font),
    ...more,
    end,
  );
const hello = fontPage("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");

test("a PDF is read in a process of its own, and the gateway goes on meanwhile", async () => {
  const pdfs = new PdfProcesses(systemWorld());
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  try {
    expect(await pdfs.read(hello, options, never)).toEqual({ text: "Hello", more: false });
  } finally {
    clearInterval(turning);
  }
  expect([turns > 0, pdfs.active]).toEqual([true, 0]);
});

test("PDF.js is loaded in that process and nowhere else", async () => {
  // It adds to the globals where it is loaded.
  const before = Object.getOwnPropertyNames(globalThis);
  await new PdfProcesses(systemWorld()).read(hello, options, never);
  expect(Object.getOwnPropertyNames(globalThis)).toEqual(before);
});

test("a client that leaves takes the process along; one that left before starts none", async () => {
  const pdfs = new PdfProcesses(systemWorld());
  const gone = new AbortController();
  const reading = pdfs.read(hello, options, gone.signal);
  gone.abort();
  expect(await reading).toHaveProperty("refused");
  expect(await pdfs.read(hello, options, gone.signal)).toHaveProperty("refused");
  expect(pdfs.active).toBe(0);
});

const tooMuch = { refused: "The PDF takes too much time or memory to be read." };

test("a file that takes too long is refused", async () => {
  const slow = new PdfProcesses(systemWorld(), { ...pdfProcessLimits, ms: 1 });
  expect(await slow.read(hello, options, never)).toEqual(tooMuch);
});

test("more than the queue holds are refused, and the others are answered", async () => {
  const pdfs = new PdfProcesses(systemWorld());
  const gone = new AbortController();
  const asked = Array.from({ length: pdfProcessLimits.atOnce + pdfProcessLimits.waiting + 2 }, () =>
    pdfs.read(hello, options, gone.signal).catch((error: unknown) => String(error)),
  );
  await Promise.race(asked);
  gone.abort();
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => typeof answer === "string")[0]).toContain("Too many PDFs");
  expect(answers.filter((answer) => typeof answer !== "string").length).toBeGreaterThanOrEqual(
    pdfProcessLimits.waiting,
  );
});

const composite = (encoding: string, descendant = "", more = "") =>
  `<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding ${encoding} ${more} /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> ${descendant} >>] >>`;
const twice = (text: Buffer) => deflateSync(deflateSync(text)).toString("latin1");

test.each([
  ["objects that do not end", () => file(...many(20_000, (id) => `${id} 0 obj (\n`))],
  ["arrays that do not end", () => file(...many(20_000, (id) => `${id} 0 obj [\n`))],
  [
    "fonts with ranges of all codes",
    () =>
      fontPage(
        composite("/Identity-H", "", "/ToUnicode 6 0 R"),
        stream(6, "1 beginbfrange <0000> <ffff> <0000> endbfrange ".repeat(20_000)),
      ),
  ],
  [
    "a font with very many codes",
    () =>
      fontPage(
        composite("6 0 R"),
        stream(
          6,
          "1 begincodespacerange <000000> <ffffff> endcodespacerange 1 begincidrange <000000> <fffffe> 0 endcidrange",
          " /Type /CMap /CMapName /X",
        ),
      ),
  ],
  ["a font with very many widths", () => fontPage(composite("/Identity-H", "/W [0 100000000 500]"))],
  [
    "streams that unpack to gigabytes",
    () => {
      const packed = twice(Buffer.alloc(100 * 1024 * 1024, " "));
      const streams = many(40, (id) => stream(id + 3, packed, " /Filter [/FlateDecode /FlateDecode]"));
      return file(tree, page(`/Contents [${many(40, (id) => `${id + 3} 0 R`).join(" ")}]`), ...streams, end);
    },
  ],
  [
    "a cross-reference stream of nothing, two thousand million times",
    () =>
      file(
        stream(9, "x", " /Type /XRef /Size 2000000000 /W [0 0 0] /Root 1 0 R"),
        tree,
        page(""),
        "startxref\n9\n%%EOF\n",
      ),
  ],
  [
    "states saved without end",
    () => {
      const packed = deflateSync(Buffer.alloc(40_000_000, "q ")).toString("latin1");
      return file(tree, page("/Contents 4 0 R"), stream(4, packed, " /Filter /FlateDecode"), end);
    },
  ],
])("a small file that is much work is refused, and the gateway goes on: %s", async (_, make) => {
  const bytes = make();
  expect(bytes.length).toBeLessThan(1_500_000);
  const pdfs = new PdfProcesses(systemWorld(), { ...pdfProcessLimits, ms: 1_000 });
  let turns = 0;
  const turning = setInterval(() => turns++, 10);
  try {
    expect(await pdfs.read(bytes, options, never)).toEqual(tooMuch);
  } finally {
    clearInterval(turning);
  }
  // Some hundred on a free machine.
  expect(turns).toBeGreaterThan(5);
  expect(pdfs.active).toBe(0);
});

test.each([
  ["comments to the end", () => file(...many(2_000, (id) => `${id} 0 obj %`), "%".repeat(500_000))],
  [
    "a tree of pages without a bottom",
    () => file(tree, ...many(10_000, (id) => object(id + 2, `<< /Kids [${id + 3} 0 R] >>`)), end),
  ],
  ["arrays inside arrays", () => file(tree, page(`/X ${"[".repeat(500_000)}`), end)],
  ["a name for every byte", () => file(tree, page(`/Filter [${"/AHx ".repeat(100_000)}]`), end)],
  [
    "forms that draw themselves",
    () =>
      file(
        tree,
        page("/Contents 4 0 R /Resources << /XObject << /F 4 0 R >> >>"),
        stream(4, "/F Do ".repeat(300), " /Type /XObject /Subtype /Form"),
        end,
      ),
  ],
  [
    "pictures inside the text that do not end",
    () => file(tree, page("/Contents 4 0 R"), stream(4, "BI ".repeat(300_000)), end),
  ],
  [
    "text in base 85 that grows",
    () => file(tree, page("/Contents 4 0 R"), stream(4, "z".repeat(2_000_000), " /Filter /ASCII85Decode"), end),
  ],
  [
    "glyphs that draw themselves",
    () =>
      fontPage(
        "<< /Type /Font /Subtype /Type3 /FontMatrix [1 0 0 1 0 0] /CharProcs << /H 6 0 R >> /Encoding << /Differences [72 /H] >> /Resources << /Font << /F 5 0 R >> >> >>",
        stream(6, "BT /F 1 Tf (H) Tj ET"),
      ),
  ],
])("an odd file ends soon: %s", async (_, make) => {
  const pdfs = new PdfProcesses(systemWorld());
  const found = await pdfs.read(make(), options, never);
  expect("text" in found ? found.text : found.refused).toMatch(/^(|Hello|The PDF is damaged\.)$/);
});
