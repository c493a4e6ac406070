/** Files that leave: taken from a URL or a path, checked, and copied into the media store, so that what was accepted is what is
 *  sent (agent.md §13.7). */
import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, realpath, writeFile } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { expandHome } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { OutgoingFile } from "./compose.ts";
import { fileKind } from "./file-kind.ts";

export interface MediaSourceOptions {
  world: World;
  /** Holds `inbound` and `outbound`. */
  mediaDir: string;
  fetchFile: (
    url: string,
    limits: { maxBytes: number; signal: AbortSignal },
  ) => Promise<{ body: Buffer; contentType: string | undefined; fileName: string | undefined }>;
}

export interface TakeOptions {
  maxBytes: number;
  signal: AbortSignal;
  /** Directories a path may lead into, links followed. Undefined: anywhere, for the owner of the machine. */
  roots: readonly string[] | undefined;
  /** What a relative path is relative to. */
  base: string;
}

/** A file as a caller holds it. */
export interface AttachedFile {
  base64: string;
  fileName: string | undefined;
  contentType: string | undefined;
}

interface Found {
  body: Buffer;
  fileName: string | undefined;
  contentType: string | undefined;
}

export class MediaSource {
  readonly #o: MediaSourceOptions;

  constructor(options: MediaSourceOptions) {
    this.#o = options;
  }

  /** Throws GatewayError("invalid") that names the file and the reason. */
  async take(source: string, options: TakeOptions): Promise<OutgoingFile> {
    const found = /^https?:\/\//iu.test(source)
      ? await this.#fetch(source, options)
      : await this.#read(source, options);
    return this.#keep(found);
  }

  /** A file that was handed over by its content. Throws GatewayError("invalid") like `take`. */
  async keep(attached: AttachedFile, { maxBytes }: Pick<TakeOptions, "maxBytes">): Promise<OutgoingFile> {
    const { base64, fileName, contentType } = attached;
    if (base64.length > Math.ceil(maxBytes / 3) * 4 + 4)
      throw refused(`The file is larger than the limit of the channel, ${megabytes(maxBytes)} MB.`);
    if (base64.length % 4 === 1 || !/^[A-Za-z0-9+/_-]+={0,2}$/u.test(base64))
      throw refused("The content of the file is not base64.");
    return this.#keep({ body: Buffer.from(base64, "base64"), fileName, contentType });
  }

  async #keep({ body, fileName, contentType }: Found): Promise<OutgoingFile> {
    const kind = fileKind(body.subarray(0, 512), fileName, contentType);
    const dir = join(this.#o.mediaDir, "outbound");
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const path = join(dir, `${this.#o.world.uuid()}${kind.extension}`);
    await writeFile(path, body, { mode: 0o600, flag: "wx" });
    await chmod(path, 0o600);
    return { path, mimeType: kind.mimeType, ...(fileName ? { fileName: fileName.slice(0, 200) } : {}) };
  }

  async #fetch(url: string, { maxBytes, signal }: TakeOptions) {
    try {
      return await this.#o.fetchFile(url, { maxBytes, signal });
    } catch (error) {
      throw refused(`The file could not be fetched: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }

  async #read(source: string, options: TakeOptions) {
    const given = source.startsWith("file://") ? pathOf(source) : source;
    if (given.includes("\0")) throw refused("A path cannot contain a NUL character.");
    const asked = resolve(options.base, expandHome(given, this.#o.world));
    let real: string;
    try {
      real = await realpath(asked);
    } catch {
      throw refused(`There is no file ${asked}.`);
    }
    if (options.roots && !(await isInside(real, options.roots)))
      throw refused(`${asked} is outside the directories files may be sent from: ${options.roots.join(", ")}.`);
    const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch(() => {
      throw refused(`${asked} cannot be read.`);
    });
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw refused(`${asked} is not a regular file.`);
      if (stat.size > options.maxBytes)
        throw refused(
          `${asked} has ${megabytes(stat.size)} MB; the limit of the channel is ${megabytes(options.maxBytes)} MB.`,
        );
      // It may grow, or tell no size.
      const body = await readAtMost(handle, options.maxBytes + 1);
      if (body.length > options.maxBytes)
        throw refused(`${asked} is larger than the limit of the channel, ${megabytes(options.maxBytes)} MB.`);
      return { body, fileName: basename(asked), contentType: undefined };
    } finally {
      await handle.close();
    }
  }
}

const refused = (message: string) => new GatewayError("invalid", message, { details: { code: "MEDIA_REFUSED" } });
const megabytes = (bytes: number): string => String(Math.ceil(bytes / 100_000) / 10);

function pathOf(url: string): string {
  try {
    return decodeURI(url.slice("file://".length));
  } catch {
    throw refused(`${url} is not a valid file URL.`);
  }
}

async function readAtMost(handle: FileHandle, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let left = maxBytes; left > 0;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(left, 64 * 1024)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(chunks);
}

async function isInside(real: string, roots: readonly string[]): Promise<boolean> {
  for (const root of roots) {
    const base = await realpath(root).catch(() => undefined);
    if (base && real.startsWith(base.endsWith(sep) ? base : base + sep)) return true;
  }
  return false;
}
