/** Images in requests: data URLs and base64, judged by size before they are decoded and by content and claim after (http.md §8.3,
 *  §9.4). */
import type { ImageContent } from "@openclaw/protocol";
import { imageType } from "../agents/index.ts";
import { invalid } from "./fields.ts";

export const imageLimits = {
  count: 8,
  bytes: 10_000_000,
  bytesInAll: 20_000_000,
} as const;

export const defaultImageTypes: readonly string[] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/** Size of what canonical base64 decodes to. */
export function decodedBytes(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

/** Only the one text that these bytes have: alphabet, padding and unused bits. Judge the size before. */
export const isBase64 = (text: string): boolean =>
  text !== "" && text.length % 4 === 0 && Buffer.from(text, "base64").toString("base64") === text;

/** Parts of a base64 data URL; undefined when it is none. */
export function dataUrl(url: string): { mimeType: string; base64: string } | undefined {
  const comma = url.indexOf(",");
  if (comma < 0 || comma > 200 || !/^data:/i.test(url)) return undefined;
  const [mimeType = "", ...parameters] = url.slice(5, comma).toLowerCase().split(";");
  if (parameters.at(-1)?.trim() !== "base64") return undefined;
  return { mimeType: mimeType.trim(), base64: url.slice(comma + 1) };
}

export interface ImageRules {
  allowed: readonly string[];
  maxBytes: number;
}

/** Throws HttpError 400 with `refusal`, or with a text that names the type or the size. */
export function imageOf(
  given: { mimeType: string; base64: string },
  rules: ImageRules,
  refusal: string,
  param?: string,
): ImageContent {
  const mimeType = given.mimeType === "image/jpg" ? "image/jpeg" : given.mimeType;
  if (!rules.allowed.includes(mimeType))
    throw invalid(`Unsupported image MIME type: ${mimeType.replace(/[^\w/+.-]/g, "?").slice(0, 60)}`, param);
  if ((given.base64.length / 4) * 3 > rules.maxBytes + 3)
    throw invalid(`Image too large: at most ${rules.maxBytes} bytes.`, param);
  if (!isBase64(given.base64)) throw invalid(refusal, param);
  if (imageType(Buffer.from(given.base64.slice(0, 64), "base64")) !== mimeType) throw invalid(refusal, param);
  return { type: "image", data: given.base64, mimeType };
}

/** Throws HttpError 400 when there is too much of them. */
export function assertImageTotals(images: readonly ImageContent[]): void {
  const bytes = images.reduce((sum, { data }) => sum + decodedBytes(data), 0);
  if (bytes > imageLimits.bytesInAll)
    throw invalid(`Images too large: at most ${imageLimits.bytesInAll} bytes together.`);
}
