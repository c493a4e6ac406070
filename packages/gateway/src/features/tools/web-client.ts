/** One GET to a checked address: bounded in time and bytes, redirects handed back to be checked by the caller. */
import type { IncomingMessage, RequestOptions } from "node:http";
import type { LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import type { Address, CheckedUrl, Resolver } from "./url-guard.ts";

export interface WebAnswer {
  status: number;
  /** Lower-case names; repeated ones joined. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** The body went on beyond the limit. */
  truncated: boolean;
}

export interface GetOptions {
  headers: Record<string, string>;
  signal: AbortSignal;
  maxBytes: number;
}

const maxResponseHeaderBytes = 64 * 1024;

/** Connects only to `target.addresses`; the certificate is checked against the URL's host. The body of a redirect is not read. */
export async function getPinned(target: CheckedUrl, options: GetOptions): Promise<WebAnswer> {
  const { url, addresses } = target;
  const settings: RequestOptions = {
    method: "GET",
    headers: { ...options.headers, "accept-encoding": "gzip, deflate, br" },
    lookup: pinnedLookup(addresses),
    // No pooled connection: it could lead to an address that was checked for another URL.
    agent: false,
    signal: options.signal,
    maxHeaderSize: maxResponseHeaderBytes,
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const http = process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");
    const request = http.request(url, settings, resolve);
    request.on("error", reject);
    request.end();
  });
  const status = response.statusCode ?? 0;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  if (isRedirect(status)) {
    response.destroy();
    return { status, headers, body: Buffer.alloc(0), truncated: false };
  }
  return { status, headers, ...(await readBody(response, headers["content-encoding"], options.maxBytes)) };
}

export const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

function pinnedLookup(addresses: readonly Address[]): LookupFunction {
  return (_hostname, options, done) => {
    const wanted = addresses.filter(({ family }) => !options.family || options.family === family);
    const list = wanted.length > 0 ? wanted : addresses;
    if (options.all) return done(null, [...list]);
    const first = list[0];
    if (first) done(null, first.address, first.family);
    else done(new Error("no checked address"), "", 4);
  };
}

/** Reads until the end or the limit, whichever comes first; the limit counts what was unpacked. */
async function readBody(response: IncomingMessage, encoding: string | undefined, maxBytes: number) {
  const body = unpacked(response, encoding);
  const parts: Buffer[] = [];
  let size = 0;
  let truncated = false;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part.subarray(0, maxBytes - size));
      size += part.length;
      if (size > maxBytes) {
        truncated = true;
        break;
      }
    }
  } finally {
    response.destroy();
  }
  return { body: Buffer.concat(parts), truncated };
}

function unpacked(response: IncomingMessage, encoding: string | undefined): Readable {
  const zlib = process.getBuiltinModule("node:zlib");
  const name = encoding?.trim().toLowerCase();
  const unpack =
    name === "gzip" || name === "x-gzip"
      ? zlib.createGunzip()
      : name === "deflate"
        ? zlib.createInflate()
        : name === "br"
          ? zlib.createBrotliDecompress()
          : undefined;
  if (!unpack) return response;
  response.on("error", (error) => unpack.destroy(error));
  return response.pipe(unpack);
}

/** The system's resolver, as the rest of the machine sees it. */
export const systemResolver: Resolver = async (hostname) => {
  const found = await process.getBuiltinModule("node:dns").promises.lookup(hostname, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};
