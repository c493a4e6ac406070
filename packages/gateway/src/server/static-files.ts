/** Files of one folder over HTTP: what is inside it and a regular file, nothing else, whatever the path says (http.md §13.4).
 *  A build puts compressed forms beside a file (`x.js.br`, `x.js.gz`); clients that take them get those. */
import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";

export interface StaticFile {
  type: string;
  bytes: Buffer;
  /** Strong, of the content. */
  etag: string;
  /** Compressed forms by their name in `Content-Encoding`. */
  encoded: Partial<Record<"br" | "gzip", Buffer>>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".avif": "image/avif",
  ".ico": "image/x-icon",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".ttf": "font/ttf",
  ".wasm": "application/wasm",
  ".mp3": "audio/mpeg",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
};

const compressed = { br: ".br", gzip: ".gz" } as const;
const maxFileBytes = 16 * 1024 * 1024;
const maxCachedBytes = 24 * 1024 * 1024;

export const contentType = (path: string): string => types[extname(path).toLowerCase()] ?? "application/octet-stream";

/** Whether a path names an asset rather than a place inside the app: a missing one must not answer with a page. */
export const looksLikeAsset = (path: string): boolean => extname(path).toLowerCase() in types;

/** The decoded path below the folder, or why there is none. Deep links may refer to assets relatively, so that everything
 *  before the last `/assets/` is left out. */
export function relativePath(rawPath: string): string | "malformed" | "outside" {
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    return "malformed"; // Not valid percent-encoding.
  }
  const assets = path.lastIndexOf("/assets/");
  const inside = (assets === -1 ? path : path.slice(assets)).replace(/^\/+/, "");
  if (/[\0\\]/.test(path) || /^[a-z]:/i.test(inside)) return "outside";
  if (path.split("/").some((segment) => segment.startsWith("."))) return "outside";
  return inside;
}

export class StaticFiles {
  readonly #root: string;
  #realRoot: string | undefined;
  readonly #cache = new Map<string, { stamp: string; size: number; file: StaticFile }>();
  #cachedBytes = 0;

  /** `root` may not exist yet: then nothing is found. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Undefined when there is no such file inside the folder. `path` comes from `relativePath`. */
  async find(path: string): Promise<StaticFile | undefined> {
    if (path === "" || /\.(br|gz)$/.test(path)) return undefined;
    const found = await this.#locate(path);
    if (!found) return undefined;
    const cached = this.#cache.get(path);
    if (cached?.stamp === found.stamp) return cached.file;
    const file = await this.#read(path, found.place);
    if (file) this.#remember(path, found.stamp, file);
    return file;
  }

  /** Where a path really is: symlinks that lead outside lead nowhere. */
  async #locate(path: string): Promise<{ place: string; stamp: string } | undefined> {
    try {
      this.#realRoot ??= await realpath(this.#root);
      const place = await realpath(join(this.#realRoot, path));
      if (!place.startsWith(this.#realRoot + sep)) return undefined;
      const { mtimeMs, size, isFile } = await describe(place);
      return isFile && size <= maxFileBytes ? { place, stamp: `${place}:${mtimeMs}:${size}` } : undefined;
    } catch {
      return undefined; // Not there, or not readable: as far as a visitor is concerned the same.
    }
  }

  async #read(path: string, place: string): Promise<StaticFile | undefined> {
    const bytes = await readOptional(place);
    if (!bytes) return undefined;
    const encoded: StaticFile["encoded"] = {};
    for (const [name, extension] of Object.entries(compressed)) {
      const beside = await this.#locate(`${path}${extension}`);
      const content = beside ? await readOptional(beside.place) : undefined;
      if (content) encoded[name as "br" | "gzip"] = content;
    }
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 24)}"`;
    return { type: contentType(path), bytes, etag, encoded };
  }

  #remember(path: string, stamp: string, file: StaticFile): void {
    const forms = [file.bytes, ...Object.values(file.encoded)];
    const size = forms.reduce((sum, form) => sum + form.length, 0);
    this.#cachedBytes += size - (this.#cache.get(path)?.size ?? 0);
    this.#cache.delete(path);
    this.#cache.set(path, { stamp, size, file });
    for (const [oldest, entry] of this.#cache) {
      if (this.#cachedBytes <= maxCachedBytes) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= entry.size;
    }
  }
}

async function describe(place: string): Promise<{ mtimeMs: number; size: number; isFile: boolean }> {
  const entry = await stat(place);
  return { mtimeMs: entry.mtimeMs, size: entry.size, isFile: entry.isFile() };
}

async function readOptional(place: string): Promise<Buffer | undefined> {
  try {
    return await readFile(place);
  } catch {
    return undefined; // Gone since it was looked at.
  }
}

/** Answers with a file: 304 when the client has it, compressed when the client takes that. */
export function sendFile(
  req: IncomingMessage,
  res: ServerResponse,
  file: StaticFile,
  headers: Readonly<Record<string, string>>,
): void {
  const encoding = chooseEncoding(req.headers["accept-encoding"], file);
  const body = encoding === undefined ? file.bytes : (file.encoded[encoding] ?? file.bytes);
  const etag = encoding === undefined ? file.etag : file.etag.replace(/"$/, `-${encoding}"`);
  const shared = { ETag: etag, Vary: "Accept-Encoding", ...headers };
  if (matches(req.headers["if-none-match"], etag)) {
    res.writeHead(304, shared).end();
    return;
  }
  res.writeHead(200, {
    "Content-Type": file.type,
    "Content-Length": body.length,
    ...(encoding === undefined ? {} : { "Content-Encoding": encoding }),
    ...shared,
  });
  res.end(req.method === "HEAD" ? undefined : body);
}

function chooseEncoding(accepted: string | undefined, file: StaticFile): "br" | "gzip" | undefined {
  const names = new Set(
    (accepted ?? "")
      .toLowerCase()
      .split(",")
      .map((part) => part.trim())
      .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
      .map((part) => part.replace(/;.*$/, "").trim()),
  );
  if (file.encoded.br && names.has("br")) return "br";
  return file.encoded.gzip && names.has("gzip") ? "gzip" : undefined;
}

const matches = (given: string | undefined, etag: string): boolean =>
  given !== undefined && given.split(",").some((part) => part.trim().replace(/^W\//, "") === etag);
