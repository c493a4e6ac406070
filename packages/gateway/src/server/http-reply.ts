/** Complete HTTP answers with the headers that every answer carries (http.md §4.8). */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

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

function send(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Headers,
): void {
  if (res.headersSent) return void res.end();
  secure(res);
  const bytes = Buffer.from(body);
  res.writeHead(status, { "Content-Type": type, "Content-Length": bytes.length, ...headers });
  res.end(req.method === "HEAD" ? undefined : bytes);
}

export function sendText(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: string,
  headers: Headers = {},
): void {
  send(req, res, status, "text/plain; charset=utf-8", body, headers);
}

export function sendJson(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
): void {
  send(req, res, status, "application/json; charset=utf-8", JSON.stringify(body), {
    "Cache-Control": "no-store",
    ...headers,
  });
}

/** Refuses a socket that will not become a WebSocket: one complete answer, then the end (http.md §1.3). */
export function refuseUpgrade(socket: Duplex, status: number, given?: string): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const phrase = process.getBuiltinModule("node:http").STATUS_CODES[status] ?? "Refused";
  const text = given ?? phrase;
  const lines = [
    `HTTP/1.1 ${status} ${phrase}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...Object.entries(everyAnswer).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}
