/** The text of the first pages of a PDF, as PDF.js reads it (http.md §9.4). Runs in a process of its own, where its time and
 *  memory are bounded; see pdf-process.ts. */
import type { getDocumentProxy } from "unpdf";

export interface PdfOptions {
  maxPages: number;
  maxChars: number;
}

/** `more`: the text went on beyond `maxChars`. `refused`: why the file cannot be read, for the client. */
export type PdfText = { text: string; more: boolean } | { refused: string };

/** 2 MB, and it adds to the globals: only for that process. */
const libraries = [{ id: "unpdf", summary: "PDF.js, built for servers", load: () => import("unpdf") }] as const;

/** Nothing is fetched, drawn or printed. What is undefined would be looked for in a package beside this file. */
const quiet = {
  verbosity: 0,
  cMapUrl: undefined,
  standardFontDataUrl: undefined,
  useSystemFonts: true,
  disableFontFace: true,
  useWorkerFetch: false,
  useWasm: false,
  isOffscreenCanvasSupported: false,
  isImageDecoderSupported: false,
} as const;

const damaged = "The PDF is damaged.";

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;
type PdfPage = Awaited<ReturnType<PdfDocument["getPage"]>>;
/** What a page streams, so far as it is used here. */
type PdfPieces = ReadableStream<{ items: readonly { str?: string; hasEOL?: boolean }[] }>;

/** For that process: which module it loads, and what it calls there. */
export const pdfReader = { url: import.meta.url, read: readPdf };

/** Pages that are pictures have no text. Never rejects for what a file may contain. Takes `bytes` away. */
async function readPdf(bytes: Uint8Array, { maxPages, maxChars }: PdfOptions): Promise<PdfText> {
  const { getDocumentProxy } = await libraries[0].load();
  let document: PdfDocument;
  try {
    document = await getDocumentProxy(bytes, quiet);
  } catch (error) {
    const locked = error instanceof Error && error.name === "PasswordException";
    return { refused: locked ? "The PDF is encrypted and needs a password." : damaged };
  }
  const count = Math.min(document.numPages, maxPages);
  const texts: string[] = [];
  let left = maxChars;
  for (let number = 1; number <= count && left >= 0; number++) {
    try {
      const text = await pageText(await document.getPage(number), left);
      texts.push(text);
      left -= text.length;
    } catch {
      // The other pages may be whole.
    }
  }
  if (texts.length === 0) return { refused: damaged };
  const text = texts.join("\n\n").trim();
  return { text: text.slice(0, maxChars), more: text.length > maxChars };
}

/** Up to a little more than `maxChars`. */
async function pageText(page: PdfPage, maxChars: number): Promise<string> {
  let text = "";
  const pieces: PdfPieces = page.streamTextContent();
  // Cancelled, PDF.js would go on and fail where nobody looks; unread, it waits.
  for await (const { items } of pieces.values({ preventCancel: true })) {
    for (const { str = "", hasEOL } of items) text += hasEOL ? `${str}\n` : str;
    if (text.length > maxChars) break;
  }
  return text.replace(/[ \t]+\n/g, "\n").trim();
}
