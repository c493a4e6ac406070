/** SLOW-R in the small (reliability.md §4.5): requests that arrive byte by byte or never, and who is served meanwhile. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { fakeWorld, type FakeWorld } from "../kernel/fake-world.ts";
import type { HttpRoute } from "../kernel/http.ts";
import { silentLogger } from "../kernel/log.ts";
import { Listener } from "./listener.ts";
import { startRig, type Rig } from "./server.fixture.ts";

const limits = { headersTimeoutMs: 200, requestTimeoutMs: 400, keepAliveTimeoutMs: 200, checkIntervalMs: 20 };
const route: HttpRoute = {
  methods: ["POST"],
  path: "/v1/upload",
  dialect: "openai",
  maxBytes: 20_000_000,
  handle: async (call) => ({ json: { bytes: (await call.bytes()).length } }),
};

let world: FakeWorld;
let listener: Listener;
let rig: Rig;
let sockets: Socket[] = [];
async function open(deadlines: typeof limits | null = limits): Promise<void> {
  world = fakeWorld();
  const bound = { host: "127.0.0.1", port: 0, log: silentLogger, world };
  listener = await Listener.bind(deadlines ? { ...bound, limits: deadlines } : bound);
  rig = await startRig({ world, parts: { listener, api: [route] } });
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rig.close();
  const closing = listener.close(0);
  await world.clock.advance(1);
  await closing;
});

interface Slow {
  socket: Socket;
  text: () => string;
  closed: Promise<unknown>;
}
async function slow(start: string): Promise<Slow> {
  const socket = connect(listener.port, "127.0.0.1");
  sockets.push(socket);
  let text = "";
  socket.setEncoding("latin1").on("data", (part: string) => (text += part));
  socket.on("error", () => {});
  await once(socket, "connect");
  if (start !== "") socket.write(start);
  return { socket, text: () => text, closed: once(socket, "close") };
}
const health = async (): Promise<number> => {
  const startedAt = performance.now();
  await (await fetch(`http://127.0.0.1:${listener.port}/healthz`)).text();
  return performance.now() - startedAt;
};

const kinds: readonly [name: string, start: string, status: string][] = [
  ["a request line", "GET /he", "408"],
  ["headers", "GET /healthz HTTP/1.1\r\nHost: local", "408"],
  ["a body nobody reads", "POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx", "404"],
  ["a body", "POST /v1/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx", "408"],
  ["a chunk", "POST /v1/upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nx", "408"],
  ["nothing after an answer", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"],
];

test.each(kinds)("Q2: a client that stops in %s is answered and closed at its deadline", async (_, start, status) => {
  await open();
  const startedAt = performance.now();
  const { text, closed } = await slow(start);
  const moving = setInterval(() => void world.clock.advance(100), 20);
  await closed;
  clearInterval(moving);
  expect(performance.now() - startedAt).toBeLessThan(1_600);
  expect(text()).toContain(`HTTP/1.1 ${status}`);
});

test("Q1: forty slow clients of every kind do not hold up an honest one", async () => {
  await open();
  await Promise.all(Array.from({ length: 30 }, (_, index) => slow(kinds[index % kinds.length]?.[1] ?? "")));
  const times: number[] = [];
  for (let index = 0; index < 30; index++) times.push(await health());
  expect(times.toSorted((a, b) => a - b).at(-2)).toBeLessThan(100);
});

test("Q4: the 33rd silent socket of an address is closed within a second and a half; honest ones are served", async () => {
  await open();
  const silent = await Promise.all(Array.from({ length: 40 }, () => slow("")));
  await new Promise((resolve) => setImmediate(resolve));
  const over = silent.slice(32);
  const closed = Promise.all(over.map((one) => one.closed));
  await world.clock.advance(1_400);
  await Promise.race([closed, new Promise((_, reject) => setTimeout(() => reject(new Error("still open")), 1_000))]);
  expect(await health()).toBeLessThan(200);
});

test("Q4: five hundred honest clients at once are all served", async () => {
  await open(null);
  const answers = await Promise.all(
    Array.from({ length: 500 }, () =>
      fetch(`http://127.0.0.1:${listener.port}/healthz`).then((answer) => answer.status),
    ),
  );
  expect(new Set(answers)).toEqual(new Set([200]));
});

test("Q5: a slow but honest upload inside its deadline succeeds", async () => {
  await open();
  const size = 2_000_000;
  const { socket, text, closed } = await slow(
    `POST /v1/upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`,
  );
  for (let sent = 0; sent < size; sent += 200_000) {
    socket.write("x".repeat(200_000));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await closed;
  expect(text()).toContain(`{"bytes":${size}}`);
});
