/** What the tests of the canvas share: requests sent as they are, gateways with a canvas port of their own, and sockets that wait for a
 *  reload. */
import { request } from "node:http";
import { join } from "node:path";
import { WebSocket } from "ws";
import { type GatewayOptions, openGateway, type TestGateway } from "../support/gateway.ts";
import { freePort } from "../support/process.ts";

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Sends the path as it is: no client in between makes it harmless. */
export function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method, agent: false, headers: { connection: "close", ...headers } },
      (res) => {
        const parts: Buffer[] = [];
        res.on("data", (part: Buffer) => parts.push(part));
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts).toString("utf8") }),
        );
        res.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

export interface Started {
  gateway: TestGateway;
  canvas: number;
}

/** A gateway whose canvas has a port nobody else uses. */
export async function start(options: GatewayOptions = {}, canvasHost: Record<string, unknown> = {}): Promise<Started> {
  const canvas = await freePort();
  const gateway = await openGateway({
    ...options,
    config: { canvasHost: { port: canvas, ...canvasHost }, ...options.config },
  });
  return { gateway, canvas };
}
export const folderOf = (gateway: TestGateway) => join(gateway.home.path, "workspace", "canvas");

/** A socket, what it heard, and the status of a refusal. */
export function listen(url: string, options: { headers?: Record<string, string>; origin?: string } = {}) {
  const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
  const heard: string[] = [];
  let notify = () => {};
  socket.on("message", (data) => {
    heard.push(String(data));
    notify();
  });
  const opened = new Promise<number>((resolve) => {
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (_req, res) => {
      resolve(res.statusCode ?? 0);
      socket.terminate();
    });
    socket.on("error", () => resolve(0));
  });
  const closed = new Promise<number>((resolve) => socket.on("close", (code) => resolve(code)));
  const next = (count: number) =>
    new Promise<void>((resolve) => {
      notify = () => {
        if (heard.length >= count) resolve();
      };
      notify();
    });
  return { socket, heard, opened, closed, next };
}
