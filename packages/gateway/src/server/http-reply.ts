/** Complete HTTP answers with the headers that every answer carries (http.md §2.2, §4.8). */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Timer, World } from "../kernel/world.ts";

const everyAnswer: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Permissions-Policy": "camera=(), microphone=(self), geolocation=()",
};

/** Sets the headers that every answer carries. Call first; a route may override them. */
export function secure(res: ServerResponse): void {
  for (const name in everyAnswer) res.setHeader(name, everyAnswer[name] ?? "");
}

export type Headers = Readonly<Record<string, string>>;

/** Of a body nobody asked for: more is cut off instead of read to its end. */
const drained = { bytes: 64 * 1024 * 1024, ms: 3_000, keepAliveBytes: 64 * 1024 } as const;

/** Whether more of the request is to come than is worth waiting for. */
function leftUnread(req: IncomingMessage): boolean {
  if (req.complete) return false;
  if (req.headers["transfer-encoding"] !== undefined) return true;
  return Number(req.headers["content-length"] ?? 0) > drained.keepAliveBytes;
}

/** Sends one whole answer. A client that is still sending its body reads it all the same: closing at once would reset the
 *  connection and take the answer along, so the rest is thrown away for a moment first. */
export function sendBytes(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  type: string | undefined,
  bytes: Uint8Array,
  headers: Headers = {},
  world?: World,
): void {
  if (res.headersSent) return void res.end();
  secure(res);
  const all = {
    ...(type === undefined ? {} : { "Content-Type": type }),
    ...(status === 204 || status === 304 ? {} : { "Content-Length": bytes.length }),
    ...headers,
  };
  const linger = world !== undefined && leftUnread(req);
  res.writeHead(status, linger ? { ...all, Connection: "close" } : all);
  const body = req.method === "HEAD" || bytes.length === 0 ? undefined : bytes;
  if (linger && body !== undefined) discardRest(req, res, body, world);
  else res.end(body);
}

function discardRest(req: IncomingMessage, res: ServerResponse, body: Uint8Array, world: World): void {
  let left: number = drained.bytes;
  let timer: Timer | undefined = undefined;
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    timer?.cancel();
    res.end();
  };
  timer = world.after(drained.ms, end);
  req.on("data", (part: Buffer) => {
    left -= part.length;
    if (left < 0) end();
  });
  req.once("end", end).once("close", end);
  res.write(body);
  req.resume();
}

export function sendText(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: string,
  headers: Headers = {},
  world?: World,
): void {
  sendBytes(req, res, status, "text/plain; charset=utf-8", Buffer.from(body), headers, world);
}

export function sendJson(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
): void {
  const all = { "Cache-Control": "no-store", ...headers };
  sendBytes(req, res, status, "application/json; charset=utf-8", Buffer.from(JSON.stringify(body)), all);
}

/** What the handshake itself refuses gets an answer like any other: the library's own lacks the headers every answer carries. */
export function refuseBadHandshake(error: Error, socket: Duplex): void {
  refuseUpgrade(socket, 400, error.message, { "Sec-WebSocket-Version": "13" });
}

/** Refuses a socket that will not become a WebSocket: one complete answer, then the end (http.md §1.3). */
export function refuseUpgrade(socket: Duplex, status: number, given?: string, headers: Headers = {}): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const phrase = process.getBuiltinModule("node:http").STATUS_CODES[status] ?? "Refused";
  const text = given ?? phrase;
  const lines = [
    `HTTP/1.1 ${status} ${phrase}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...Object.entries({ ...everyAnswer, ...headers }).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}
