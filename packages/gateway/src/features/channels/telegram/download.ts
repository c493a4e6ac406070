/** Files that people sent: fetched through `getFile`, within a cap, into the media directory (channels.md §7.5). */
import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import type { World } from "../../../kernel/world.ts";
import { fileKind } from "../file-kind.ts";
import type { MediaRef } from "../inbound.ts";
import type { BotApi } from "./api.ts";
import { CallError } from "./failure.ts";
import type { TelegramLimits } from "./limits.ts";

export interface DownloadOptions {
  api: BotApi;
  world: World;
  limits: TelegramLimits;
  mediaDir: string;
  maxBytes: number;
  signal: AbortSignal;
}

const mb = (bytes: number) => `${Math.round((bytes / 1024 / 1024) * 10) / 10} MB`;

/** Throws GatewayError with a text for the chat. */
export async function download(
  media: MediaRef,
  o: DownloadOptions,
): Promise<{ path: string; mimeType: string; sizeBytes: number }> {
  const fileId = fileIdOf(media.ref);
  if (media.sizeBytes !== undefined) checkSize(media.sizeBytes, o.maxBytes);
  try {
    const file = await o.api.call(
      "getFile",
      { file_id: fileId },
      {
        timeoutMs: o.limits.startMs,
        signal: o.signal,
      },
    );
    if (file.file_size !== undefined) checkSize(file.file_size, o.maxBytes);
    return await fetchFile(pathOf(file.file_path), media, o);
  } catch (error) {
    throw error instanceof CallError ? forChat(error) : error;
  }
}

async function fetchFile(from: string, media: MediaRef, o: DownloadOptions) {
  const dir = join(o.mediaDir, "inbound");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { body, end, failure } = await o.api.openFile(from, { timeoutMs: o.limits.downloadMs, signal: o.signal });
  const part = join(dir, `.part-${o.world.uuid()}`);
  let stored = false;
  try {
    const target = await open(part, "wx", 0o600);
    const hash = createHash("sha256");
    let head = Buffer.alloc(0);
    let sizeBytes = 0;
    try {
      for await (const chunk of readable(body, failure)) {
        sizeBytes += chunk.byteLength;
        checkSize(sizeBytes, o.maxBytes);
        hash.update(chunk);
        if (head.length < 512) head = Buffer.concat([head, chunk]).subarray(0, 512);
        await target.writeFile(chunk);
      }
    } finally {
      await target.close();
    }
    const kind = fileKind(head, media.fileName ?? from.split("/").at(-1), media.mimeType);
    const path = join(dir, `${hash.digest("hex")}${kind.extension}`);
    await rename(part, path);
    stored = true;
    return { path, mimeType: kind.mimeType, sizeBytes };
  } finally {
    end();
    if (!stored) await rm(part, { force: true });
  }
}

/** Errors of the network become CallErrors; errors of the disk stay what they are. */
async function* readable(body: ReadableStream<Uint8Array>, failure: (error: unknown) => CallError) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw failure(error);
      });
      if (done) return;
      yield value;
    }
  } finally {
    // Not all of it may be wanted; how the rest ends is of no interest.
    reader.cancel().catch(() => undefined);
  }
}

function checkSize(sizeBytes: number, maxBytes: number): void {
  if (sizeBytes > maxBytes)
    throw new GatewayError("invalid", `The file is too large (${mb(sizeBytes)}; at most ${mb(maxBytes)}).`);
}

function fileIdOf(ref: unknown): string {
  const id = typeof ref === "object" && ref !== null ? (ref as Record<string, unknown>)["fileId"] : undefined;
  if (typeof id === "string" && id !== "") return id;
  throw new GatewayError("invalid", "The file cannot be fetched: it has no Telegram file id.");
}

/** A server of one's own may answer with a path on its own disk, which is not ours to read. */
function pathOf(path: string | undefined): string {
  if (path !== undefined && /^[\w./-]{1,512}$/u.test(path) && !path.startsWith("/") && !path.split("/").includes(".."))
    return path;
  throw new GatewayError("unavailable", "Telegram named no place to fetch the file from.");
}

function forChat({ failure }: CallError): GatewayError {
  // The public server has one code for every refusal: its text alone says that a file is beyond its 20 MB.
  if (failure.kind === "refused" && /file is too big/iu.test(failure.description))
    return new GatewayError("invalid", "The file is too large: Telegram gives bots files of at most 20 MB.");
  if (failure.kind === "refused" && failure.code < 500 && failure.code !== 429)
    return new GatewayError("not-found", "The file is no longer available from Telegram.");
  return new GatewayError("unavailable", "The file could not be fetched from Telegram; send it again.");
}
