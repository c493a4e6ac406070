/** The HTTP surface and the canvas where TLS ends at the port (http.md X20, §4.8; canvas-browser-nodes.md V15). */
import { request, type RequestOptions } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { WebSocket } from "ws";
import { freePort } from "../support/process.ts";
import { connectParams, type WireFrame } from "../support/wire.ts";
import { RawSocket } from "./http-client.ts";

let gateway: TestGateway;
let canvas: number;
beforeAll(async () => {
  canvas = await freePort();
  gateway = await openGateway({
    config: {
      gateway: {
        tls: { enabled: true },
        http: {
          endpoints: { chatCompletions: { enabled: true } },
          securityHeaders: { strictTransportSecurity: "max-age=31536000" },
        },
      },
      canvasHost: { port: canvas },
    },
  });
});
afterAll(() => gateway.stop());

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

function ask(path: string, options: RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { host: "127.0.0.1", port: gateway.port, path, rejectUnauthorized: false, ...options };
    const call = request(all, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    call.on("error", reject);
    call.end(body);
  });
}
const headers = () => ({ authorization: `Bearer ${gateway.token}`, "content-type": "application/json" });

test("X20: https answers, with the configured header, also streams; plain http on that port is refused", async () => {
  const models = await ask("/v1/models", { headers: headers() });
  expect([models.status, models.headers["strict-transport-security"]]).toEqual([200, "max-age=31536000"]);
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "hi" }] });
  const stream = await ask("/v1/chat/completions", { method: "POST", headers: headers() }, body);
  expect(stream.text).toContain("data: [DONE]");
  const plain = new RawSocket(gateway.port).write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await plain.ended;
  expect(plain.text).not.toContain("200 OK");
});

test("many connections that gave no secret do not use up the places of honest ones", async () => {
  for (let round = 0; round < 60; round++) expect((await ask("/v1/models", { agent: false })).status).toBe(401);
  expect((await ask("/v1/models", { headers: headers() })).status).toBe(200);
});

/** A connection over wss that said hello. */
async function hello(options: Parameters<typeof connectParams>[0], headers: Record<string, string> = {}) {
  const socket = new WebSocket(`wss://127.0.0.1:${gateway.port}/`, { rejectUnauthorized: false, headers });
  const frames: WireFrame[] = [];
  const answered = new Promise<WireFrame>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as WireFrame;
      frames.push(frame);
      if (frame.event !== "connect.challenge") return resolve(frame);
      const params = connectParams({ token: gateway.token, ...options }, String(frame.payload?.["nonce"]));
      socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params }));
    });
  });
  const { ok, payload } = await answered;
  return { ok, payload, socket };
}
const upgraded = (url: string) =>
  new Promise<string>((resolve) => {
    const socket = new WebSocket(url, { rejectUnauthorized: false });
    socket.on("open", () => (socket.terminate(), resolve("open")));
    socket.on("error", (error) => resolve(error.message));
  });

test("X20, V15: wss speaks the protocol, tells a canvas address of https, and what is behind it works", async () => {
  const operator = await hello({});
  expect([operator.ok, operator.payload?.["canvasHostUrl"]]).toEqual([true, `https://127.0.0.1:${canvas}`]);
  operator.socket.terminate();
  const named = await hello({}, { host: `[::1]:${gateway.port}` });
  expect(named.payload?.["canvasHostUrl"]).toBe(`https://[::1]:${canvas}`);
  named.socket.terminate();
  const device = await hello({ role: "node", client: { id: "openclaw-ios", mode: "node", instanceId: "ipad" } });
  const url = new URL(String(device.payload?.["canvasHostUrl"]));
  expect([url.protocol, url.port]).toEqual(["https:", String(canvas)]);
  expect(url.pathname).toMatch(/^\/__openclaw__\/cap\/[\w-]{22,}$/u);
  const far = { "x-forwarded-for": "203.0.113.9" };
  for (const port of [canvas, gateway.port]) {
    expect((await ask("/__openclaw__/canvas/", { port })).status).toBe(200);
    expect((await ask("/__openclaw__/canvas/", { port, headers: far })).status).toBe(401);
    expect((await ask(`${url.pathname}/__openclaw__/canvas/`, { port, headers: far })).status).toBe(200);
    expect(await upgraded(`wss://127.0.0.1:${port}/__openclaw__/ws`)).toBe("open");
    expect(await upgraded(`ws://127.0.0.1:${port}/__openclaw__/ws`)).not.toBe("open");
  }
  device.socket.terminate();
});
