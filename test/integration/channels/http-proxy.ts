/** A proxy on loopback, as offices have them: tunnels by CONNECT, plain requests by absolute address, wants a name and a password. */
import { createServer, request, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { selfSigned } from "../../../packages/gateway/src/assembly/certificate.ts";

export interface HttpProxy {
  port: number;
  /** What it was asked for, in order: `CONNECT host:port` or `POST http://…`. */
  readonly asked: string[];
  /** Requests and tunnels that gave no valid name and password. */
  strangers: number;
  /** Takes requests and says nothing. */
  silent: boolean;
  /** Answers every request with this instead. */
  refuse: number | undefined;
  /** Clients that were given no answer and are still there. */
  waiting(): number;
  close(): Promise<void>;
}

export async function startProxy(login: string): Promise<HttpProxy> {
  const sockets = new Set<Duplex>();
  const waiting = new Set<Duplex>();
  const wanted = `Basic ${Buffer.from(login).toString("base64")}`;
  const refusal = (given: string | undefined): number | undefined => {
    if (given === wanted) return proxy.refuse;
    proxy.strangers++;
    return 407;
  };
  const server = createServer((incoming, outgoing) => {
    proxy.asked.push(`${incoming.method} ${incoming.url}`);
    const refused = refusal(incoming.headers["proxy-authorization"]);
    if (refused !== undefined) return void outgoing.writeHead(refused).end("no");
    const { "proxy-authorization": _secret, ...headers } = incoming.headers;
    const onward = request(incoming.url ?? "", { method: incoming.method, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, socket: Duplex) => {
    proxy.asked.push(`CONNECT ${incoming.url}`);
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    if (proxy.silent) {
      waiting.add(socket);
      // Read, so that the end of it is noticed.
      socket.resume().on("end", () => waiting.delete(socket));
      return;
    }
    const refused = refusal(incoming.headers["proxy-authorization"]);
    if (refused !== undefined) return void socket.end(`HTTP/1.1 ${refused} No\r\n\r\n`);
    const [host = "", port = ""] = (incoming.url ?? "").split(":");
    const onward: Socket = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    sockets.add(onward);
    onward.on("error", () => socket.destroy());
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  const proxy: HttpProxy = {
    port: await listening(server),
    asked: [],
    strangers: 0,
    silent: false,
    refuse: undefined,
    waiting: () => waiting.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return closed(server);
    },
  };
  return proxy;
}

/** The same server behind TLS, at `https://localhost:<port>`. */
export async function withTls(url: string): Promise<{ url: string; cert: string; close(): Promise<void> }> {
  const now = Date.now();
  const { cert, key } = selfSigned({
    commonName: "localhost",
    names: ["localhost"],
    notBefore: now - 3_600_000,
    notAfter: now + 3_600_000,
    serial: Buffer.from("0123456789abcdef"),
  });
  const server = createTlsServer({ cert, key }, (incoming, outgoing) => {
    const options = { method: incoming.method, headers: incoming.headers, agent: false as const };
    const onward = request(new URL(incoming.url ?? "", url), options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  return { url: `https://localhost:${await listening(server)}`, cert, close: () => closed(server) };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
