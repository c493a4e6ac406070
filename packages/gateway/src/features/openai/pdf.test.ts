import { createHash } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pdfReader, type PdfOptions, type PdfText } from "./pdf.ts";

/** One thread for all tests: PDF.js adds to the globals where it is loaded. Nothing is caught here, so that a mistake is seen. */
let thread: Worker;
let printed = "";
beforeAll(() => {
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    parentPort.on("message", async ({ bytes, options }) => {
      const { pdfReader } = await import(workerData);
      parentPort.postMessage(await pdfReader.read(bytes, options));
    });`;
  thread = new Worker(program, { eval: true, workerData: pdfReader.url, stdout: true, stderr: true });
  for (const stream of [thread.stdout, thread.stderr])
    stream.on("data", (text: Buffer) => (printed += text.toString()));
});
afterAll(() => thread.terminate());
async function read(bytes: Uint8Array, limits: PdfOptions): Promise<PdfText> {
  thread.postMessage({ bytes, options: limits }, []);
  const [found] = (await once(thread, "message")) as [PdfText];
  return found;
}

const options = { maxPages: 4, maxChars: 10_000 };
const object = (id: number, body: string) => `${id} 0 obj\n${body}\nendobj\n`;
const stream = (id: number, text: string, more = "") =>
  object(id, `<< /Length ${text.length}${more} >>\nstream\n${text}\nendstream`);
const plainFont = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";
const resources = "/Resources << /Font << /F1 5 0 R >> /XObject << /X 8 0 R >> >>";

function pdf(content: string, font = plainFont, more = "", trailer = ""): Uint8Array {
  const parts = [
    "%PDF-1.4\n",
    object(1, "<< /Type /Catalog /Pages 2 0 R >>"),
    object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 600 800] >>"),
    object(3, `<< /Type /Page /Parent 2 0 R /Contents 4 0 R ${resources} >>`),
    stream(4, content),
    object(5, font),
    more,
    `trailer << /Root 1 0 R ${trailer} >>\n`,
  ];
  return bytesOf(parts.join(""));
}
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const drawn = (text: string) => `BT /F1 12 Tf 72 700 Td ${text} ET`;
async function textOf(bytes: Uint8Array, limits = options): Promise<string> {
  const found = await read(bytes, limits);
  return "text" in found ? found.text + (found.more ? "…" : "") : `refused: ${found.refused}`;
}

test("lines are lines, gaps are spaces, and strings may be written in every form", async () => {
  const content = String.raw`(A \(b\) \101\
c) Tj 0 -14 Td <48656C6C6F> Tj 0 -14 Td [(W) -20 (orld) -400 (again)] TJ`;
  expect(await textOf(pdf(drawn(content)))).toBe("A (b) Ac\nHello\nWorld again");
});

test("codes mean what the font says: by its table, by names of glyphs", async () => {
  const descendant =
    "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>";
  const composite = `<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [${descendant}] /ToUnicode 6 0 R >>`;
  const table = "1 beginbfchar <0003> <0041> endbfchar 1 beginbfrange <0010> <0012> <0062> endbfrange";
  expect(await textOf(pdf(drawn("<0003001000110012> Tj"), composite, stream(6, table)))).toBe("Abcd");
  const named =
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [1 /A /eacute /Euro] >> >>";
  expect(await textOf(pdf(drawn("<010203> Tj"), named))).toBe("Aé€");
});

test("text inside forms and in packed objects is read", async () => {
  const form = stream(8, drawn("(inside) Tj"), ` /Type /XObject /Subtype /Form /BBox [0 0 600 800] ${resources}`);
  expect(await textOf(pdf("/X Do", plainFont, form))).toBe("inside");
  const packed = deflateSync(drawn("(packed) Tj")).toString("latin1");
  const parts = [
    object(1, "<< /Type /Catalog /Pages 2 0 R >>"),
    object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
  ];
  parts.push(object(3, `<< /Type /Page /MediaBox [0 0 600 800] /Contents 4 0 R ${resources} >>`), object(5, plainFont));
  parts.push(stream(4, packed, " /Filter /FlateDecode"), "trailer << /Root 1 0 R >>\n");
  expect(await textOf(bytesOf(`%PDF-1.5\n${parts.join("")}`))).toBe("packed");
});

test("no more than the first pages and characters are read, and it says when there was more text", async () => {
  const kids = [10, 12, 14, 16, 18];
  const pages = kids.map(
    (id, index) =>
      object(id, `<< /Type /Page /Parent 2 0 R /Contents ${id + 1} 0 R >>`) +
      stream(id + 1, drawn(`(page ${index + 1}) Tj`)),
  );
  const all = [
    "%PDF-1.4\n",
    object(1, "<< /Type /Catalog /Pages 2 0 R >>"),
    object(2, `<< /Type /Pages /Kids [${kids.map((id) => `${id} 0 R`).join(" ")}] /Count 5 ${resources} >>`),
    object(5, plainFont),
    ...pages,
    "trailer << /Root 1 0 R >>\n",
  ].join("");
  expect(await textOf(bytesOf(all), { maxPages: 2, maxChars: 100 })).toBe("page 1\n\npage 2");
  expect(await textOf(bytesOf(all), { maxPages: 4, maxChars: 9 })).toBe("page 1\n\np…");
  expect(await textOf(bytesOf(all), { maxPages: 9, maxChars: 6 })).toBe("page 1…");
  expect(await textOf(bytesOf(all), { maxPages: 1, maxChars: 6 })).toBe("page 1");
});

test("a page without text has none", async () => {
  expect(await read(pdf("0 0 10 10 re f"), options)).toEqual({ text: "", more: false });
});

test("a locked file that opens without a password is read, one that needs one is refused", async () => {
  // The oldest lock of the format: MD5 and RC4 with 40 bits (ISO 32000, 7.6).
  const md5 = (...parts: Uint8Array[]) => createHash("md5").update(Buffer.concat(parts)).digest();
  const padding = Buffer.from("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a", "hex");
  const owner = Buffer.alloc(32, "o");
  const key = md5(padding, owner, Buffer.from([0xfc, 0xff, 0xff, 0xff]), Buffer.from([0])).subarray(0, 5);
  const text = drawn("(locked) Tj");
  const packed = rc4(md5(key, Buffer.from([4, 0, 0, 0, 0])).subarray(0, 10), Buffer.from(text)).toString("latin1");
  const file = (user: Buffer) => {
    const lock = `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${owner.toString("hex")}> /U <${user.toString("hex")}> >>`;
    return pdf(packed, plainFont, object(9, lock), "/Encrypt 9 0 R /ID [<00> <00>]");
  };
  expect(await textOf(file(rc4(key, padding)))).toBe("locked");
  expect(await textOf(file(Buffer.alloc(32, "x")))).toBe("refused: The PDF is encrypted and needs a password.");
});

function rc4(key: Uint8Array, data: Uint8Array): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  const swap = (a: number, b: number) => ([state[a], state[b]] = [state[b] ?? 0, state[a] ?? 0]);
  for (let i = 0, j = 0; i < 256; i++) swap(i, (j = (j + (state[i] ?? 0) + (key[i % key.length] ?? 0)) & 255));
  let i = 0;
  let j = 0;
  return Buffer.from(
    data.map((byte) => {
      i = (i + 1) & 255;
      j = (j + (state[i] ?? 0)) & 255;
      swap(i, j);
      return byte ^ (state[((state[i] ?? 0) + (state[j] ?? 0)) & 255] ?? 0);
    }),
  );
}

test("what is broken is refused or has less text: nothing is thrown, nothing printed", async () => {
  const good = Buffer.from(pdf(drawn("(Hello) Tj"))).toString("latin1");
  for (let cut = 0; cut < good.length; cut += 29)
    expect(await textOf(bytesOf(good.slice(0, cut)))).toMatch(/^(|Hello|refused: The PDF is damaged\.)$/);
  for (const odd of ["<<".repeat(5_000), "[".repeat(50_000), "(".repeat(5_000), "<".repeat(50_000)])
    expect(await textOf(bytesOf(`%PDF-1.4\n1 0 obj\n${odd}`))).toBe("refused: The PDF is damaged.");
  const loop = [object(1, "<< /Type /Catalog /Pages 2 0 R >>"), object(2, "<< /Count 2 /Kids [2 0 R 2 0 R] >>")];
  expect(await textOf(bytesOf(`%PDF-1.4\n${loop.join("")}trailer << /Root 1 0 R >>`))).toMatch(
    /^(|refused: The PDF is damaged\.)$/,
  );
  expect(printed).toBe("");
});
