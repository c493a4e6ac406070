import { connect as connectTcp } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { fakeWorld } from "../kernel/fake-world.ts";
import { silentLogger } from "../kernel/log.ts";
import { ListenError, Listener } from "./listener.ts";
import { startRig, type Rig, type TestClient } from "./server.fixture.ts";

let rig: Rig;
afterEach(() => rig.close());

async function settled(client: TestClient): Promise<void> {
  client.ws.ping();
  await new Promise((resolve) => client.ws.once("pong", resolve));
}

/** Sends raw text and resolves with everything that came back. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connectTcp({ port, host: "127.0.0.1" }, () => socket.write(text));
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

const get = (target: string, headers = "Host: localhost\r\n", method = "GET") =>
  raw(rig.listener.port, `${method} ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);

describe("unauthenticated sockets", () => {
  test("the 33rd silent one of an address is refused after a second, and places come back", async () => {
    rig = await startRig();
    const idle: TestClient[] = [];
    for (let i = 0; i < 33; i++) idle.push(await rig.connect());
    await Promise.all(idle.map(settled));
    await rig.world.clock.advance(1_001);
    expect(await idle[32]?.closed).toEqual({ code: 1013, reason: "too many unauthenticated connections" });
    expect(idle[31]?.ws.readyState).toBe(WebSocket.OPEN);
    idle[0]?.ws.terminate();
    await idle[0]?.closed;
    // Several round trips later the server has seen that end too.
    await rig.hello();
    const late = await rig.connect();
    await settled(late);
    await rig.world.clock.advance(1_001);
    await settled(late);
    expect(late.ws.readyState).toBe(WebSocket.OPEN);
  });

  test("a burst of clients that speak up is not refused", async () => {
    rig = await startRig();
    const clients = await Promise.all(Array.from({ length: 100 }, () => rig.hello()));
    await rig.world.clock.advance(1_500);
    await Promise.all(clients.map(settled));
    expect(rig.server.connections()).toHaveLength(100);
  });

  test("more than 1,024 in all are refused with 1013", async () => {
    rig = await startRig({ settings: { trustedProxies: ["127.0.0.1"] } });
    const remote = { headers: { "X-Forwarded-For": "198.51.100.7" } };
    const batch = (n: number) => Promise.all(Array.from({ length: n }, () => rig.connect(remote)));
    for (let i = 0; i < 9; i++) await batch(112);
    const refused = await rig.connect(remote);
    expect((await refused.closed).code).toBe(1013);
    expect((await rig.hello()).frames.length).toBeGreaterThan(0);
  });
});

describe("the port", () => {
  test("a taken port is a typed error", async () => {
    rig = await startRig();
    const again = Listener.bind({ host: "127.0.0.1", port: rig.listener.port, log: silentLogger, world: fakeWorld() });
    await expect(again).rejects.toBeInstanceOf(ListenError);
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE", port: rig.listener.port });
  });

  test("between generations requests get 503 and sockets 1013, and probes answer", async () => {
    rig = await startRig();
    rig.listener.setRouter(undefined);
    expect(await get("/")).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: 1/);
    expect(await get("/healthz")).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"ok":true,"status":"live"\}$/);
    expect(await get("/startupz")).toMatch(/^HTTP\/1\.1 503 [\s\S]*"status":"starting"/);
    const client = await rig.connect();
    expect(await client.closed).toEqual({ code: 1013, reason: "gateway starting" });
  });

  test("also on ::1 at the same port when there is one", async () => {
    rig = await startRig();
    const answer = await new Promise<string>((resolve) => {
      const socket = connectTcp({ port: rig.listener.port, host: "::1" }, () =>
        socket.write("GET /healthz HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n"),
      );
      socket.on("data", (chunk) => resolve(chunk.toString()));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
    expect(answer).toMatch(/^(HTTP\/1\.1 200|EADDRNOTAVAIL|EAFNOSUPPORT)/);
  });

  test("rubbish instead of HTTP, and headers above 16 KiB, are refused without harm", async () => {
    rig = await startRig();
    expect(await raw(rig.listener.port, "hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400/);
    expect(await get("/", `Host: localhost\r\nX: ${"x".repeat(20_000)}\r\n`)).toMatch(/^HTTP\/1\.1 431/);
    expect(await get("/healthz")).toMatch(/^HTTP\/1\.1 200/);
  });
});

describe("plain HTTP", () => {
  test("every answer carries the security headers, probes show details to local callers only", async () => {
    rig = await startRig();
    const started = await get("/startupz");
    expect(started).toContain("X-Content-Type-Options: nosniff");
    expect(started).toContain("Referrer-Policy: no-referrer");
    expect(started).toContain("Cache-Control: no-store");
    expect(started).toContain('{"ok":true,"status":"started","version":"1.2.3","uptimeMs":0}');
    expect(await get("/startupz", "Host: localhost\r\nX-Forwarded-For: 1.2.3.4\r\n")).toMatch(
      /\{"ok":true,"status":"started"\}$/,
    );
    expect(await get("/readyz", "Host: evil.example\r\n")).toMatch(/\{"ready":true\}$/);
    expect(await get("/ready")).toMatch(/\{"ready":true,"failing":\[\],"uptimeMs":0\}$/);
    expect(await get("/readyz", "Host: localhost\r\n", "HEAD")).toMatch(/\r\n\r\n$/);
    expect(await get("/healthz", "Host: localhost\r\n", "POST")).toMatch(/^HTTP\/1\.1 405 [\s\S]*Allow: GET, HEAD/);
  });

  test("draining turns startup and ready red and everything else 503", async () => {
    rig = await startRig();
    rig.server.drain();
    expect(await get("/startupz")).toMatch(/^HTTP\/1\.1 503 [\s\S]*"status":"draining"/);
    expect(await get("/readyz")).toMatch(/^HTTP\/1\.1 503/);
    expect(await get("/healthz")).toMatch(/^HTTP\/1\.1 200/);
    expect(await get("/")).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: 5/);
  });

  test.each([
    ["/", "Host: localhost\r\n", 200],
    ["/nope", "Host: localhost\r\n", 404],
    ["//v1/models", "Host: localhost\r\n", 400],
    ["http://other/x", "Host: localhost\r\n", 400],
    ["/", "Host: evil.example\r\n", 421],
    ["/", "Host: app.localhost:1\r\n", 200],
    ["/", "Host: box.tail.ts.net\r\n", 200],
    ["/", "", 400],
    ["/", "Host: localhost\r\nHost: localhost\r\n", 400],
    ["/", "Host: localhost\r\nhost: evil.example\r\n", 400],
    [
      "/",
      "Host: localhost\r\nHost: localhost\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\n",
      400,
    ],
    ["/api", "Host: localhost\r\n", 200],
    ["/api/", "Host: localhost\r\n", 404],
    ["/tree/a/b", "Host: localhost\r\n", 200],
    ["/tree", "Host: localhost\r\n", 404],
    ["/broken", "Host: localhost\r\n", 500],
    ["/late", "Host: localhost\r\n", 500],
    ["/api", "Host: localhost\r\nContent-Encoding: gzip\r\n", 415],
  ])("GET %s with %j answers %i", async (target, headers, status) => {
    const ok = (_req: unknown, res: { end(text: string): void }) => void res.end("ok");
    const fail = (): never => {
      throw new Error("secret cause");
    };
    rig = await startRig({
      parts: {
        routes: [
          { methods: ["GET"], path: "/api", handle: ok },
          { methods: ["GET"], path: "/tree/*", handle: ok },
          { methods: ["GET"], path: "/broken", handle: fail },
          { methods: ["GET"], path: "/late", handle: async () => fail() },
        ],
      },
    });
    const answer = await get(target, headers);
    expect(answer.slice(9, 12)).toBe(String(status));
    expect(answer).not.toContain("secret cause");
    if (status === 200 && target === "/api")
      expect(await get("/api", headers, "DELETE")).toMatch(/^HTTP\/1\.1 405 [\s\S]*Allow: GET, HEAD/);
  });

  test("upgrades of other services and to strange targets are refused with a complete answer", async () => {
    rig = await startRig();
    await expect(rig.connect({ path: "/__openclaw__/ws" })).rejects.toThrow("404");
    const upgrade =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    expect(await raw(rig.listener.port, `GET //x HTTP/1.1\r\nHost: localhost\r\n${upgrade}`)).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*Bad Request$/,
    );
    expect((await rig.connect({ path: "/anything" })).ws.readyState).toBe(WebSocket.OPEN);
  });
});
