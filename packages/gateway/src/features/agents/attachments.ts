/** Images that come with a message (protocol.md §13.5): base64 or data URL, judged by content and never by claim. */
import { GatewayError, type ImageContent } from "@openclaw/protocol";

export const maxImageBytes = 5_000_000;
export const maxAttachments = 20;

interface Attachment {
  type?: unknown;
  mimeType?: unknown;
  fileName?: unknown;
  content?: unknown;
}

const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The images among the attachments, in order; anything else is left out without a word. Throws GatewayError("invalid") for
 *  content that is not base64 or is too big. */
export function readImages(attachments: readonly unknown[] | undefined): ImageContent[] {
  const images: ImageContent[] = [];
  for (const [index, value] of (attachments ?? []).entries()) {
    if (index >= maxAttachments) throw new GatewayError("invalid", `too many attachments (at most ${maxAttachments})`);
    if (typeof value !== "object" || value === null) continue;
    const attachment = value as Attachment;
    if (typeof attachment.content !== "string" || attachment.content === "") continue;
    const data = attachment.content.replace(/^data:[^,]{0,200};base64,/, "").replace(/\s+/g, "");
    const label =
      [attachment.fileName, attachment.type].find((v) => typeof v === "string" && v !== "") ??
      `attachment-${index + 1}`;
    if (!base64.test(data) || data.replace(/=+$/, "").length % 4 === 1) {
      throw new GatewayError("invalid", `Error: attachment ${label}: invalid base64 content`);
    }
    const bytes = Math.floor((data.replace(/=+$/, "").length * 3) / 4);
    if (bytes > maxImageBytes) {
      throw new GatewayError(
        "invalid",
        `Error: attachment ${label}: exceeds size limit (${bytes} > ${maxImageBytes} bytes)`,
      );
    }
    const mimeType = imageType(Buffer.from(data.slice(0, 64), "base64"));
    if (mimeType) images.push({ type: "image", data, mimeType });
  }
  return images;
}

/** Media type of an image by its first bytes; undefined when it is none of the kinds models read. */
export function imageType(head: Buffer): string | undefined {
  const ascii = head.toString("latin1");
  if (ascii.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (ascii.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (ascii.startsWith("GIF87a") || ascii.startsWith("GIF89a")) return "image/gif";
  if (ascii.startsWith("RIFF") && ascii.slice(8, 12) === "WEBP") return "image/webp";
  return undefined;
}
