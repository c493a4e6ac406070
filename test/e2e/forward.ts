/** A TCP forward on loopback, as `ssh -L` makes one. With `headers` it writes them into every request, as a reverse proxy
 *  does; with `tls` it speaks TLS to its visitors. */
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { AddressInfo } from "node:net";

export interface Forward {
  readonly port: number;
  readonly url: string;
  /** Ends every connection that goes through it now. */
  cut(): void;
  close(): Promise<void>;
}

export async function forwardTo(
  target: number,
  headers: Record<string, string> = {},
  tls?: { key: string; cert: string },
): Promise<Forward> {
  const open = new Set<Socket>();
  const added = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const pass = (near: Socket) => {
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    if (added.length === 0) near.pipe(far);
    else
      near.on("data", (chunk: Buffer) => {
        const end = chunk.indexOf("\r\n");
        const request = /^(GET|HEAD) /.test(chunk.subarray(0, 5).toString("latin1"));
        if (request)
          far.write(Buffer.concat([chunk.subarray(0, end + 2), Buffer.from(added.join("")), chunk.subarray(end + 2)]));
        else far.write(chunk);
      });
    far.pipe(near);
  };
  const server = tls ? createTlsServer({ ...tls, ALPNProtocols: ["http/1.1"] }, pass) : createServer(pass);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port,
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}
