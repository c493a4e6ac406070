/** Files of accepted messages (agent.md §13.6): fetched through the account, named in the prompt, images shown to the model. */
import { readFile } from "node:fs/promises";
import { GatewayError, type ImageContent } from "@openclaw/protocol";
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import { imageType, maxImageBytes } from "../../agents/index.ts";
import type { AccountState } from "../accounts/transitions.ts";
import type { ChannelAccount } from "../channel.ts";
import type { MediaRef } from "../inbound.ts";
import { flatName } from "./envelope.ts";
import type { RunnerPort } from "./ports.ts";

export interface FetchedMedia {
  /** One per file, for the prompt. */
  lines: string[];
  /** Files that may be images. What waits holds no content: it is read when the turn begins. */
  pictures: Picture[];
}

interface Picture {
  path: string;
  sizeBytes: number;
}

const maxFiles = 20;
/** Shown to the model; the others are named only. */
const maxImages = 8;
const downloadMs = 60_000;
const parallel = 4;
/** How long an account that is being started is waited for, and how often it is looked at. */
const comingMs = 30_000;
const lookMs = 250;
const mayCome: ReadonlySet<AccountState> = new Set([
  "stopped",
  "stopping",
  "starting",
  "connecting",
  "backoff",
  "held",
]);

/** Finds the account as it is now. */
type Reach = () => Pick<RunnerPort, "account" | "state"> | undefined;

export class IncomingMedia {
  readonly #world: World;
  readonly #log: Logger;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: { world: World; log: Logger }) {
    this.#world = options.world;
    this.#log = options.log;
  }

  /** Never rejects: what cannot be fetched becomes a line that says so. An account that is just being started, as after a restart,
   *  is waited for. */
  async fetch(refs: readonly MediaRef[], runner: Reach, maxBytes: number, signal: AbortSignal): Promise<FetchedMedia> {
    const fetched: FetchedMedia = { lines: [], pictures: [] };
    const account = refs.length === 0 ? undefined : await this.#account(runner, signal);
    for (const [index, ref] of refs.slice(0, maxFiles).entries()) {
      const number = refs.length > 1 ? `${index + 1}/${refs.length} ` : "";
      try {
        const file = await this.#download(ref, account, maxBytes, signal);
        const name = ref.fileName ? ` ${flatName(ref.fileName, 120)}` : "";
        fetched.lines.push(`[media attached: ${number}${file.path} (${mimeTypeOf(file)})${name}]`);
        if (file.sizeBytes <= maxImageBytes) fetched.pictures.push({ path: file.path, sizeBytes: file.sizeBytes });
      } catch (error) {
        if (!(error instanceof GatewayError)) this.#log.warn("a file of a message could not be fetched", { error });
        const why = error instanceof GatewayError ? flatName(error.message, 200) : "it could not be fetched";
        fetched.lines.push(`[media unavailable: ${number}${ref.kind}, ${why}]`);
      }
    }
    if (refs.length > maxFiles) fetched.lines.push(`[media unavailable: ${refs.length - maxFiles} more files]`);
    return fetched;
  }

  /** The newest images among these files, for the model. Never rejects. */
  async images(pictures: readonly Picture[]): Promise<ImageContent[]> {
    const images: ImageContent[] = [];
    for (const picture of pictures.toReversed()) {
      if (images.length >= maxImages) break;
      const image = await asImage(picture);
      if (image) images.unshift(image);
    }
    return images;
  }

  async #download(ref: MediaRef, account: ChannelAccount | undefined, maxBytes: number, signal: AbortSignal) {
    if (!account) throw new GatewayError("unavailable", "the channel is not connected");
    if (ref.sizeBytes !== undefined && ref.sizeBytes > maxBytes)
      throw new GatewayError("invalid", `it is larger than ${Math.floor(maxBytes / 1_000_000)} MB`);
    await this.#slot();
    const late = new AbortController();
    const timer = this.#world.after(downloadMs, () => late.abort());
    try {
      const limits = { maxBytes, signal: AbortSignal.any([signal, late.signal]) };
      const gone = Promise.withResolvers<never>();
      limits.signal.addEventListener("abort", () => gone.reject(new GatewayError("timeout", "it took too long")), {
        once: true,
      });
      return await Promise.race([account.download(ref, limits), gone.promise]);
    } finally {
      timer.cancel();
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #account(runner: Reach, signal: AbortSignal): Promise<ChannelAccount | undefined> {
    for (let waited = 0; waited < comingMs && !signal.aborted;) {
      const found = runner();
      if (found?.account || !found || !mayCome.has(found.state)) return found?.account;
      await this.#pause(signal);
      // Nothing begins while the channels are held; the file is fetched for the moment they are not.
      if (found.state !== "held") waited += lookMs;
    }
    return undefined;
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    const end = () => over.resolve();
    const timer = this.#world.after(lookMs, end);
    signal.addEventListener("abort", end, { once: true });
    await over.promise;
    timer.cancel();
    signal.removeEventListener("abort", end);
  }

  async #slot(): Promise<void> {
    while (this.#running >= parallel) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
  }
}

/** For the prompt: what a sender calls the type must not be more than that. */
const mimeTypeOf = ({ mimeType }: { mimeType: string }): string =>
  /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/.test(mimeType) ? mimeType : "application/octet-stream";

/** Judged by content, never by claim. Undefined for what is no image, or cannot be read again. */
async function asImage(file: { path: string; sizeBytes: number }): Promise<ImageContent | undefined> {
  if (file.sizeBytes > maxImageBytes) return undefined;
  const bytes = await readFile(file.path).catch(() => Buffer.alloc(0));
  const mimeType = bytes.length <= maxImageBytes ? imageType(bytes.subarray(0, 64)) : undefined;
  return mimeType ? { type: "image", data: bytes.toString("base64"), mimeType } : undefined;
}
