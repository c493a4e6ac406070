/** A WebSocket proxy on loopback that writes down every frame between a client and a gateway, one JSON line each:
 *  `{conn, from: "client"|"gateway", frame}` or `{conn, closed, code, reason}`, the form of the recorded fixtures. Plain HTTP
 *  requests pass through unrecorded. For the bench of the person who looks into a difference: it records secrets as sent. */
import { createWriteStream } from "node:fs";
import { createServer, request as forwardRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer, type RawData } from "ws";

export interface Recorder {
  readonly port: number;
  /** Closes every connection and the file. */
  close(): Promise<void>;
}

type Side = "client" | "gateway";

export async function startRecorder(gatewayPort: number, file: string): Promise<Recorder> {
  const out = createWriteStream(file, { flags: "a", mode: 0o600 });
  const write = (line: Record<string, unknown>) => void out.write(`${JSON.stringify(line)}\n`);
  const sockets = new WebSocketServer({ noServer: true });
  let connections = 0;

  const server = createServer((request, response) => passThrough(gatewayPort, request, response));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      const conn = ++connections;
      const { host: _host, connection: _connection, upgrade: _upgrade, ...rest } = request.headers;
      const headers = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith("sec-websocket-")));
      const gateway = new WebSocket(`ws://127.0.0.1:${gatewayPort}${request.url ?? "/"}`, { headers });
      join(conn, "client", client, gateway, write);
      join(conn, "gateway", gateway, client, write);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await new Promise((resolve) => out.end(resolve));
    },
  };
}

/** What `source` says is written down and said to `target`, once that is open. */
function join(
  conn: number,
  from: Side,
  source: WebSocket,
  target: WebSocket,
  write: (line: Record<string, unknown>) => void,
): void {
  const early: string[] = [];
  target.on("open", () => {
    for (const text of early.splice(0)) target.send(text);
  });
  source.on("message", (data: RawData) => {
    const text = String(data);
    write({ conn, from, frame: parsed(text) });
    if (target.readyState === WebSocket.CONNECTING) early.push(text);
    else if (target.readyState === WebSocket.OPEN) target.send(text);
  });
  source.on("close", (code: number, reason: Buffer) => {
    write({ conn, closed: from, code, reason: reason.toString() });
    const sendable = code === 1000 || (code > 1000 && code < 1004) || (code > 1006 && code < 1015) || code >= 3000;
    if (target.readyState === WebSocket.CONNECTING) target.terminate();
    else if (sendable) target.close(code, reason);
    else target.close();
  });
  source.on("error", (error) => write({ conn, error: error.message, from }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // Not JSON: the text itself is the evidence.
  }
}

function passThrough(port: number, request: IncomingMessage, response: ServerResponse): void {
  const onward = forwardRequest(
    { host: "127.0.0.1", port, method: request.method, path: request.url, headers: request.headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.writeHead(502).end());
  request.pipe(onward);
}
