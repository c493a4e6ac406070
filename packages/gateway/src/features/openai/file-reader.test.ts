import { expect, test } from "vitest";
import { defaultFileTypes, FileReader } from "./file-reader.ts";
import type { PdfText } from "./pdf.ts";

const rules = {
  allowed: defaultFileTypes,
  maxBytes: 1_000,
  maxChars: 10,
  allowUrl: false,
  maxRedirects: 0,
  timeoutMs: 1_000,
  maxPages: 4,
};
function readerOf(found: PdfText) {
  const pdf = () => Promise.resolve(found);
  const fetch = () => Promise.reject(new Error("no network"));
  return new FileReader({ fetch, pdf, rules: () => rules, wrap: (text) => text });
}
async function read(found: PdfText): Promise<string | undefined> {
  const data = Buffer.from("%PDF-1.4").toString("base64");
  const source = { data, name: "a.pdf", param: "input" };
  const { texts } = await readerOf(found).readAll([source], new AbortController().signal);
  return texts[0];
}

test("the block of a PDF says when its text went on, and when there was none", async () => {
  expect(await read({ text: "all of it", more: false })).toBe('<file name="a.pdf">\nall of it\n</file>');
  expect(await read({ text: "its first", more: true })).toBe(
    '<file name="a.pdf">\nits first\n[The PDF is longer: the rest was left out.]\n</file>',
  );
  expect(await read({ text: " ", more: false })).toContain("[The PDF has no text that can be read.]");
});
