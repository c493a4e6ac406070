/** Images of a request, by data URL or, where that is switched on, from the web (http.md §8.3, §9.4, §9.7). */
import type { ImageContent } from "@openclaw/protocol";
import type { ImageSource } from "./conversation.ts";
import { assertImageTotals, dataUrl, imageLimits, imageOf, type ImageRules } from "./images.ts";
import { invalid } from "./fields.ts";

/** A file by URL, behind the guard against inner addresses. Throws a text for people. */
export type FetchFile = (
  url: string,
  limits: { maxBytes: number; maxRedirects?: number; timeoutMs?: number; signal: AbortSignal },
) => Promise<{ body: Buffer; contentType: string | undefined; fileName: string | undefined }>;

export interface ImageReaderRules extends ImageRules {
  allowUrl: boolean;
  maxRedirects: number;
  timeoutMs: number;
}

export class ImageReader {
  readonly #fetch: FetchFile;
  readonly #rules: () => ImageReaderRules;
  readonly #refusal: string;

  /** `refusal`: what is said when a URL or its content is not acceptable. */
  constructor(parts: { fetch: FetchFile; rules: () => ImageReaderRules; refusal: string }) {
    this.#fetch = parts.fetch;
    this.#rules = parts.rules;
    this.#refusal = parts.refusal;
  }

  /** One after the other; each after it was judged. Throws HttpError 400, also for too many or too much together. */
  async readAll(sources: readonly ImageSource[], signal: AbortSignal): Promise<ImageContent[]> {
    if (sources.length > imageLimits.count) throw invalid(`Too many images: at most ${imageLimits.count}.`);
    const images: ImageContent[] = [];
    for (const source of sources) {
      const { param } = source;
      images.push("url" in source ? await this.#fromUrl(source.url, param, signal) : this.#read(source, param));
      assertImageTotals(images);
    }
    return images;
  }

  async #fromUrl(url: string, param: string, signal: AbortSignal): Promise<ImageContent> {
    const rules = this.#rules();
    const data = dataUrl(url);
    if (data) return this.#read(data, param);
    if (!rules.allowUrl || !/^https?:\/\//i.test(url)) throw invalid(this.#refusal, param);
    const { maxBytes, maxRedirects, timeoutMs } = rules;
    const { body, contentType } = await this.#fetch(url, { maxBytes, maxRedirects, timeoutMs, signal }).catch(
      (error: unknown) => {
        throw invalid(this.#refusal, param, error);
      },
    );
    return this.#read({ mimeType: contentType ?? "", base64: body.toString("base64") }, param);
  }

  #read(given: { mimeType: string; base64: string }, param: string): ImageContent {
    return imageOf(given, this.#rules(), this.#refusal, param);
  }
}
