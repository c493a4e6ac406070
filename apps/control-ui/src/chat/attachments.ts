/** Pictures to be sent with a message: read, checked against the gateway's limits, made smaller when they are too large. */
import { bytes } from "../app/format.ts";
import type { Attachment } from "./outgoing.ts";

export const accepted = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/** Of one picture, decoded (protocol.md §13.5). */
const maxBytes = 5_000_000;
const maxCount = 10;
/** Longest side of a picture that had to be made smaller. */
const reducedSide = 2_048;

export type Added = { attachment: Attachment } | { refused: string };

/** Never rejects: what cannot be attached says why. */
export async function toAttachment(file: File, already: number): Promise<Added> {
  const name = file.name === "" ? "pasted picture" : file.name;
  if (!accepted.includes(file.type))
    return { refused: `${name} is not a picture that can be sent (PNG, JPEG, GIF or WebP).` };
  if (already >= maxCount) return { refused: `At most ${maxCount} pictures go with one message.` };
  try {
    const blob = file.size <= maxBytes ? file : await reduce(file);
    if (blob.size > maxBytes)
      return { refused: `${name} is ${bytes(file.size)}; at most ${bytes(maxBytes)} can be sent.` };
    return { attachment: { name, mimeType: blob.type, data: await base64(blob) } };
  } catch {
    return { refused: `${name} could not be read as a picture.` };
  }
}

async function reduce(file: File): Promise<Blob> {
  if (file.type === "image/gif") return file;
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, reducedSide / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? file), "image/jpeg", 0.86));
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).replace(/^data:[^,]*,/, "")));
    reader.addEventListener("error", () => reject(reader.error ?? new Error("unreadable")));
    reader.readAsDataURL(blob);
  });
}

/** Whether message and pictures fit into one frame; the gateway closes the socket on a larger one. */
export function fitsFrame(text: string, attachments: readonly Attachment[], maxPayload: number): boolean {
  const pictures = attachments.reduce((sum, { data }) => sum + data.length + 200, 0);
  return text.length * 3 + pictures + 1_000 <= maxPayload;
}
