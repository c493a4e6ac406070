/** Who is near and who is far: forwarding headers, addresses of the network, IPv6, and probes while channels are not connected
 *  (http.md X01, X18, X19, X21). */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { freePort, token } from "../support/process.ts";
import { ask, RawSocket, until } from "./http-client.ts";

const canvasPath = "/__openclaw__/canvas/";
const forged = [
  "X-Forwarded-For: 127.0.0.1",
  "X-Forwarded-For: ::1",
  "X-Forwarded-For: 127.0.0.1, 127.0.0.1",
  "X-Forwarded-For: localhost",
  "X-Forwarded-For:",
  "X-Real-IP: 127.0.0.1",
  "Forwarded: for=127.0.0.1;host=localhost;proto=http",
  "X-Forwarded-Host: localhost",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Port: 18789",
  "X-Forwarded-User: owner",
];

/** One GET over a connection to `address`. */
async function get(
  port: number,
  path: string,
  { address = "127.0.0.1", host = "localhost", headers = [] as string[] } = {},
) {
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...headers];
  const socket = new RawSocket(port, address).write(`${lines.join("\r\n")}\r\n\r\n`);
  await until(`an answer to ${path}`, () => socket.closed, 5_000);
  return { status: socket.status, text: socket.text, body: socket.text.split("\r\n\r\n").slice(1).join("\r\n\r\n") };
}
const bearer = `Authorization: Bearer ${token}`;

let gateway: TestGateway;
let canvas: number;
beforeAll(async () => {
  canvas = await freePort();
  gateway = await openGateway({ config: { canvasHost: { port: canvas } } });
});
afterAll(() => gateway.stop());

test("X18: forwarding headers of a peer that is no listed proxy win nothing, and cost the trust of a near one", async () => {
  expect((await get(gateway.port, "/readyz")).body).toContain("failing");
  for (const header of forged) {
    const ready = await get(gateway.port, "/readyz", { headers: [header] });
    expect([header, ready.status, ready.body]).toEqual([header, 200, '{"ready":true}']);
    const config = await get(gateway.port, "/control-ui-config.json", { headers: [header] });
    expect([header, config.status]).toEqual([header, 401]);
  }
});

test("X18: a guess counts for the address of the socket, whatever the headers say", async () => {
  const wrong = (index: number) => ["Authorization: Bearer wrong", `X-Forwarded-For: 203.0.113.${index}`];
  const statuses: number[] = [];
  for (let index = 0; index < 12; index++)
    statuses.push((await get(gateway.port, "/metrics", { headers: wrong(index) })).status);
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
  await gateway.world.jump(300_001);
});

test("X19: with a forwarding header the canvas needs the bearer, from this machine too, on both ports", async () => {
  for (const port of [gateway.port, canvas]) {
    expect([port, (await get(port, canvasPath)).status]).toEqual([port, 200]);
    for (const header of forged) {
      const bare = await get(port, canvasPath, { headers: [header] });
      expect([header, bare.status, bare.body]).toEqual([
        header,
        401,
        '{"error":{"message":"Unauthorized","type":"unauthorized"}}',
      ]);
      expect([header, (await get(port, canvasPath, { headers: [header, bearer] })).status]).toEqual([header, 200]);
    }
  }
});

const own = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === "IPv4" && !found.internal)?.address;

test.runIf(own !== undefined)(
  "X18, X25: a peer of the network stays one, with any header and any Host, and is locked after ten guesses",
  async () => {
    const address = own ?? "";
    const port = await freePort();
    const lan = await openGateway({
      config: { gateway: { bind: "lan", metrics: { enabled: true } }, canvasHost: { port: port + 1 } },
      flags: { port },
    });
    try {
      expect((await get(port, "/readyz")).body).toContain("failing");
      for (const host of ["localhost", "127.0.0.1", `${address}:${port}`]) {
        for (const header of ["X-None: 1", ...forged]) {
          const from = { address, host, headers: [header] };
          expect([host, header, (await get(port, "/readyz", from)).body]).toEqual([host, header, '{"ready":true}']);
          expect([host, header, (await get(port, canvasPath, from)).status]).toEqual([host, header, 401]);
          const withSecret = { ...from, headers: [header, bearer] };
          expect([host, header, (await get(port, canvasPath, withSecret)).status]).toEqual([host, header, 200]);
        }
      }
      // X25, without any proxy in between: the address is locked, this machine is not.
      const guess = ["Authorization: Bearer wrong"];
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 12; attempt++)
        statuses.push((await get(port, "/metrics", { address, host: `${address}:${port}`, headers: guess })).status);
      const locked = await get(port, "/metrics", { address, host: `${address}:${port}`, headers: [bearer] });
      expect([statuses, locked.status]).toEqual([[...Array.from({ length: 10 }, () => 401), 429, 429], 429]);
      expect(locked.text).toMatch(/^Retry-After: \d+\r$/im);
      expect((await get(port, canvasPath, { headers: [bearer] })).status).toBe(200);
    } finally {
      await lan.stop();
    }
  },
);

test.runIf(own !== undefined)("S9: without a word about it neither port can be reached from the network", async () => {
  for (const port of [gateway.port, canvas]) {
    const socket = new RawSocket(port, own);
    await socket.ended;
    expect([port, socket.text]).toEqual([port, ""]);
    expect([port, (await get(port, canvasPath)).status]).toEqual([port, 200]);
  }
});

const v6 = await new Promise<boolean>((resolve) => {
  const probe = createServer().listen(0, "::1", () => probe.close(() => resolve(true)));
  probe.once("error", () => resolve(false));
});

test("X21: the IPv6 loopback name is the owner's machine, over either family", async () => {
  for (const host of ["[::1]", "[::1]:18789", `[::1]:${gateway.port}`]) {
    for (const address of v6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
      const from = { host, address };
      expect([host, address, (await get(gateway.port, "/readyz", from)).body.includes("failing")]).toEqual([
        host,
        address,
        true,
      ]);
      expect([host, address, (await get(gateway.port, canvasPath, from)).status]).toEqual([host, address, 200]);
      const wire = await gateway.connect({}, { headers: { host } });
      await wire.close();
    }
  }
  expect((await get(gateway.port, "/readyz", { host: "[::2]" })).body).toBe('{"ready":true}');
});

test("X01: /health is 200 before a channel is connected", async () => {
  let asked = 0;
  const silent: Server = createServer(() => void (asked += 1));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const apiRoot = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const botToken = "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const waiting = await openGateway({ config: { channels: { telegram: { botToken, apiRoot } } } });
  try {
    await until("the channel waits for its platform", () => asked > 0, 5_000);
    for (const path of ["/health", "/healthz"]) {
      const answer = await ask(waiting, path);
      expect([answer.status, answer.json]).toEqual([200, { ok: true, status: "live" }]);
    }
    const wire = await waiting.connect();
    const { channelAccounts } = await wire.call<{ channelAccounts: Record<string, { connected?: boolean }[]> }>(
      "channels.status",
      {},
    );
    expect(channelAccounts["telegram"]?.map(({ connected }) => connected === true)).toEqual([false]);
    await wire.close();
  } finally {
    await waiting.stop();
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  }
});
