/** Files of a request as text for the prompt: inside marks they cannot close, and never in a transcript (http.md §9.4). */
import type { ImageContent } from "@openclaw/protocol";
import type { FileSource } from "./conversation.ts";
import { invalid } from "./fields.ts";
import type { FetchFile } from "./image-reader.ts";
import { dataUrl, isBase64 } from "./images.ts";
import type { PdfOptions, PdfText } from "./pdf.ts";

export interface FileRules {
  allowed: readonly string[];
  maxBytes: number;
  /** Characters of one file; what is beyond is left out, and said. */
  maxChars: number;
  allowUrl: boolean;
  maxRedirects: number;
  timeoutMs: number;
  maxPages: number;
}

export const defaultFileTypes: readonly string[] = [
  "text/plain",
  "text/markdown",
  "text/html",
  "text/csv",
  "application/json",
  "application/pdf",
];

/** Files of one request. */
const maxFiles = 20;
const maxUrls = 8;

const byExtension: ReadonlyMap<string, string> = new Map([
  ["txt", "text/plain"],
  ["md", "text/markdown"],
  ["html", "text/html"],
  ["htm", "text/html"],
  ["csv", "text/csv"],
  ["json", "application/json"],
  ["pdf", "application/pdf"],
]);

export interface FileReaderParts {
  fetch: FetchFile;
  /** Bounded in time and memory. */
  pdf: (bytes: Buffer, options: PdfOptions, signal: AbortSignal) => Promise<PdfText>;
  rules: () => FileRules;
  /** Marks text from outside, so that it cannot end its own marks. */
  wrap: (text: string, source: string) => string;
}

interface Noted {
  text: string;
  /** Why there is not more of it. */
  note: string | undefined;
}

interface Loaded {
  bytes: Buffer;
  mimeType: string;
  charset: string | undefined;
  name: string;
}

export class FileReader {
  readonly #parts: FileReaderParts;

  constructor(parts: FileReaderParts) {
    this.#parts = parts;
  }

  /** One after the other. Throws HttpError 400. */
  async readAll(
    sources: readonly FileSource[],
    signal: AbortSignal,
  ): Promise<{ texts: string[]; images: ImageContent[] }> {
    if (sources.length > maxFiles) throw invalid(`Too many files: at most ${maxFiles}.`);
    if (sources.filter(({ url }) => url !== undefined).length > maxUrls)
      throw invalid(`Too many files by URL: at most ${maxUrls}.`);
    const texts: string[] = [];
    for (const source of sources) texts.push(await this.#read(source, signal));
    return { texts, images: [] };
  }

  async #read(source: FileSource, signal: AbortSignal): Promise<string> {
    const rules = this.#parts.rules();
    const file =
      source.data === undefined ? await this.#fetched(source, rules, signal) : decoded(source, source.data, rules);
    const { mimeType, bytes, name } = file;
    const { param } = source;
    if (!rules.allowed.includes(mimeType))
      throw invalid(`Unsupported file MIME type: ${mimeType.replace(/[^\w/+.-]/g, "?").slice(0, 60)}`, param);
    if (bytes.length > rules.maxBytes) throw invalid(`File too large: at most ${rules.maxBytes} bytes.`, param);
    if (mimeType === "application/pdf") return this.#block(name, await this.#pdf(bytes, rules, param, signal));
    const text = textOf(file, param);
    const left = text.length - rules.maxChars;
    const note = left > 0 ? `[The file is longer: ${left} characters were left out.]` : undefined;
    return this.#block(name, { text: text.slice(0, rules.maxChars), note });
  }

  async #pdf(bytes: Buffer, { maxPages, maxChars }: FileRules, param: string, signal: AbortSignal): Promise<Noted> {
    if (bytes.subarray(0, 1_024).indexOf("%PDF-") < 0) throw invalid("The file is not a PDF.", param);
    const result = await this.#parts.pdf(bytes, { maxPages, maxChars }, signal);
    if ("refused" in result) throw invalid(result.refused, param);
    const text = result.text.trim();
    if (text === "") return { text: "[The PDF has no text that can be read.]", note: undefined };
    return { text, note: result.more ? "[The PDF is longer: the rest was left out.]" : undefined };
  }

  #block(name: string, { text, note }: Noted): string {
    // A closing tag inside would end the block for a reader who looks for one.
    const safe = text.toWellFormed().replace(/<(?=\/?file\b)/gi, "&lt;");
    const label = name.replace(/[^\p{L}\p{N} ._()-]/gu, "_").slice(0, 120);
    const body = note === undefined ? safe : `${safe}\n${note}`;
    return `<file name="${label}">\n${this.#parts.wrap(body, `file ${label}`)}\n</file>`;
  }

  async #fetched({ url = "", name, param }: FileSource, rules: FileRules, signal: AbortSignal): Promise<Loaded> {
    const refused = (cause?: unknown) => invalid("The file at this URL could not be read.", param, cause);
    if (!rules.allowUrl || !/^https?:\/\//i.test(url)) throw refused();
    const { maxBytes, maxRedirects, timeoutMs } = rules;
    const found = await this.#parts
      .fetch(url, { maxBytes, maxRedirects, timeoutMs, signal })
      .catch((error: unknown) => {
        throw refused(error);
      });
    const fileName = name ?? found.fileName ?? "file";
    return {
      bytes: found.body,
      mimeType: found.contentType ?? typeOf(undefined, fileName, found.body),
      charset: undefined,
      name: fileName,
    };
  }
}

function decoded(source: FileSource, data: string, rules: FileRules): Loaded {
  const { param } = source;
  const name = source.name ?? "file";
  const url = dataUrl(data);
  if (!url && /^data:/i.test(data)) throw invalid("Invalid file data: not a base64 data URL.", param);
  const base64 = url?.base64 ?? data;
  if ((base64.length / 4) * 3 > rules.maxBytes + 3)
    throw invalid(`File too large: at most ${rules.maxBytes} bytes.`, param);
  if (!isBase64(base64)) throw invalid("Invalid file data: not base64.", param);
  const bytes = Buffer.from(base64, "base64");
  const charset = /;charset=([\w-]{1,40})/i.exec(url ? data.slice(0, 200) : "")?.[1];
  return { bytes, mimeType: typeOf(url?.mimeType ?? source.mimeType, name, bytes), charset, name };
}

/** As declared, else by name, else by content. */
function typeOf(declared: string | undefined, name: string, bytes: Buffer): string {
  if (declared) return declared.split(";")[0]?.trim() ?? "";
  const extension = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  return (
    byExtension.get(extension) ??
    (bytes.subarray(0, 5).toString("latin1") === "%PDF-" ? "application/pdf" : "text/plain")
  );
}

function textOf({ bytes, charset }: Loaded, param: string): string {
  try {
    return new TextDecoder(charset ?? "utf-8").decode(bytes);
  } catch (error) {
    throw invalid("The charset of the file is not known.", param, error);
  }
}
