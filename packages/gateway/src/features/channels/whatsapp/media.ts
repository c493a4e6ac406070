/** Files of messages: fetched through the World, checked and decrypted on the way to disk (channels.md §6.7). The platform stores
 *  `AES-256-CBC(file) || MAC[10]`; the keys come from the message by HKDF. */
import { createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import type { World } from "../../../kernel/world.ts";
import type { WhatsAppMedia } from "./content.ts";

const kinds: Record<WhatsAppMedia["kind"], string> = {
  imageMessage: "Image",
  stickerMessage: "Image",
  videoMessage: "Video",
  audioMessage: "Audio",
  documentMessage: "Document",
};
const macBytes = 10;
const usualHost = "mmg.whatsapp.net";
/** What a server may send beyond the size of the file: padding and MAC. */
const overheadBytes = 64;

export interface MediaFetch {
  world: World;
  dir: string;
  maxBytes: number;
  signal: AbortSignal;
  /** Only in tests files come from elsewhere. */
  anyHost: boolean;
}

/** The server no longer has the file: the phone can upload it again. */
export class MediaGone extends Error {}

/** Writes the file into `dir` under a name of its own (0600). Throws GatewayError with a text for the chat, or MediaGone. */
export async function fetchMedia(media: WhatsAppMedia, o: MediaFetch): Promise<{ path: string; sizeBytes: number }> {
  const response = await o.world.fetch(addressOf(media, o.anyHost), {
    signal: o.signal,
    redirect: "error",
    headers: { Origin: "https://web.whatsapp.com" },
  });
  if (response.status === 404 || response.status === 410) throw new MediaGone();
  if (!response.ok || !response.body) {
    throw new GatewayError("unavailable", `WhatsApp answered ${response.status} for the file.`);
  }
  const name = `wa-${createHash("sha256").update(media.mediaKey).update(media.key.id).digest("hex").slice(0, 32)}`;
  const path = join(o.dir, name);
  const part = `${path}.${o.world.uuid()}.part`;
  try {
    const sizeBytes = await decryptTo(part, response.body, media, o.maxBytes);
    await rename(part, path);
    return { path, sizeBytes };
  } catch (error) {
    await unlink(part).catch(() => {
      // It may not exist yet.
    });
    throw error;
  }
}

/** Where a message comes from is the sender's word: only the platform's own hosts are asked, or its usual one. */
function addressOf(media: WhatsAppMedia, anyHost: boolean): string {
  const named = media.url === undefined ? undefined : URL.parse(media.url);
  const trusted = named && (anyHost || (named.protocol === "https:" && named.hostname.endsWith(".whatsapp.net")));
  if (media.directPath?.startsWith("/")) {
    return `${trusted ? named.origin : `https://${usualHost}`}${media.directPath}`;
  }
  if (trusted) return named.href;
  throw new GatewayError("invalid", "The message does not say where its file is.");
}

async function decryptTo(
  path: string,
  body: ReadableStream<Uint8Array>,
  media: WhatsAppMedia,
  maxBytes: number,
): Promise<number> {
  const secret = Buffer.from(media.mediaKey, "base64");
  if (secret.length !== 32) throw new GatewayError("invalid", "The message carries no key for its file.");
  const keys = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), `WhatsApp ${kinds[media.kind]} Keys`, 112));
  const iv = keys.subarray(0, 16);
  const decipher = createDecipheriv("aes-256-cbc", keys.subarray(16, 48), iv);
  const mac = createHmac("sha256", keys.subarray(48, 80)).update(iv);
  const plainHash = createHash("sha256");
  let received = 0;
  let size = 0;
  // The last bytes are not part of the file; which are the last is known at the end.
  let tail = Buffer.alloc(0);
  const file = await open(path, "wx", 0o600);
  const write = async (plain: Buffer) => {
    if (plain.length === 0) return;
    size += plain.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    plainHash.update(plain);
    await file.write(plain);
  };
  try {
    for await (const chunk of body) {
      received += chunk.length;
      if (received > maxBytes + overheadBytes) throw tooLarge(maxBytes);
      const known = Buffer.concat([tail, chunk]);
      const sure = Math.max(0, known.length - macBytes);
      const cipher = known.subarray(0, sure);
      tail = Buffer.from(known.subarray(sure));
      mac.update(cipher);
      await write(decipher.update(cipher));
    }
    const expected = mac.digest().subarray(0, macBytes);
    if (tail.length !== macBytes || !timingSafeEqual(tail, expected)) throw damaged();
    await write(decipher.final());
    if (media.sha256 !== undefined && plainHash.digest("base64") !== media.sha256) throw damaged();
    return size;
  } finally {
    await file.close();
  }
}

const tooLarge = (maxBytes: number) =>
  new GatewayError("invalid", `The file is larger than ${Math.round(maxBytes / 1024 / 1024)} MB.`, {
    details: { code: "TOO_LARGE" },
  });
const damaged = () => new GatewayError("unavailable", "The file arrived damaged.");
