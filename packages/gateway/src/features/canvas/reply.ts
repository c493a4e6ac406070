/** Answers of the canvas. Headers that every answer of the gateway carries stand here too: its own port has no router that adds
 *  them (http.md §4.8). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, pipeline } from "node:stream";
import { fileType, sniffBytes } from "./file-types.ts";
import type { OpenedFile } from "./open-file.ts";

export type Headers = Readonly<Record<string, string>>;

const always: Headers = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Permissions-Policy": "camera=(), microphone=(self), geolocation=()",
  "Cache-Control": "no-store",
};

export function sendWhole(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Headers = {},
): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  res.writeHead(status, { ...always, "Content-Type": type, "Content-Length": bytes.length, ...headers });
  res.end(req.method === "HEAD" ? undefined : bytes);
}

export const sendPlain = (req: IncomingMessage, res: ServerResponse, status: number, text: string, headers?: Headers) =>
  sendWhole(req, res, status, "text/plain; charset=utf-8", text, headers);

export const sendPage = (req: IncomingMessage, res: ServerResponse, status: number, html: string, headers?: Headers) =>
  sendWhole(req, res, status, "text/html; charset=utf-8", html, headers);

/** One complete answer to an upgrade that is not taken, then the end. */
export function refuseSocket(socket: Duplex, status: number, phrase: string): void {
  const type = "text/plain; charset=utf-8";
  const headers = { Connection: "close", ...always, "Content-Type": type, "Content-Length": phrase.length };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${phrase}`, ...lines, "", phrase].join("\r\n"), () => socket.destroy());
}

export function redirect(res: ServerResponse, to: string): void {
  res.writeHead(302, { ...always, Location: to, "Content-Length": 0 }).end();
}

/** The same for missing and wrong credentials. */
export const sendUnauthorized = (req: IncomingMessage, res: ServerResponse) =>
  sendWhole(
    req,
    res,
    401,
    "application/json; charset=utf-8",
    JSON.stringify({ error: { message: "Unauthorized", type: "unauthorized" } }),
    { "WWW-Authenticate": "Bearer" },
  );

/** Streams a file, or the part that was asked for. Closes it. */
export async function sendOpened(
  req: IncomingMessage,
  res: ServerResponse,
  file: OpenedFile,
  headers: Headers,
): Promise<void> {
  const { handle, name, bytes } = file;
  const head = Buffer.alloc(sniffBytes);
  const { bytesRead } = await handle.read(head, 0, sniffBytes, 0).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  const range = rangeOf(req.headers.range, bytes);
  const all = {
    ...always,
    "Content-Type": fileType(name, head.subarray(0, bytesRead)),
    "Accept-Ranges": "bytes",
    ...headers,
  };
  if (range === "unsatisfiable") {
    await handle.close();
    return void res.writeHead(416, { ...all, "Content-Range": `bytes */${bytes}`, "Content-Length": 0 }).end();
  }
  const { start, end } = range ?? { start: 0, end: bytes - 1 };
  res.writeHead(range ? 206 : 200, {
    ...all,
    "Content-Length": end - start + 1,
    ...(range ? { "Content-Range": `bytes ${start}-${end}/${bytes}` } : {}),
  });
  if (req.method === "HEAD" || end < start) {
    await handle.close();
    return void res.end();
  }
  await new Promise<void>((resolve) => {
    // A client that left, or a file that shrank: the answer ends early, and its length says so.
    pipeline(handle.createReadStream({ start, end }), res, () => resolve());
  });
}

/** One range; several are answered with the whole file. */
function rangeOf(
  header: string | undefined,
  bytes: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const start = from === "" ? Math.max(0, bytes - Number(to)) : Number(from);
  const end = from === "" || to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  return start > end || start >= bytes ? "unsatisfiable" : { start, end };
}
