/** The attack table for HTTP and WebSocket (reliability.md §5): smuggling, bombs, poisoned JSON, clients that leave. Nothing of it
 *  may succeed, and an honest client is served all the while. Pages, guesses, paths and addresses have files of their own. */
import { readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { ask, post, raw, RawSocket, until } from "./http-client.ts";

let gateway: ScriptedGateway;
const chat = "/v1/chat/completions";
const hi = { messages: [{ role: "user", content: "hi" }] };
const posts = [chat, "/v1/responses", "/tools/invoke"];

beforeAll(async () => {
  gateway = await openScriptedGateway({
    config: {
      gateway: {
        http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } },
      },
    },
  });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.script = () => ["ok"];
});
const served = async () => expect((await post(gateway, chat, hi)).status).toBe(200);

describe("S12: poisoned JSON", () => {
  const keys = ["__proto__", "constructor", "prototype", "\\u005f_proto__", "__pro\\u0074o__"];

  test("no body of any route changes a prototype", async () => {
    for (const path of posts) {
      for (const key of keys) {
        for (const body of [
          `{"${key}":{"polluted":true}}`,
          `{"messages":[{"role":"user","content":"hi","${key}":{"polluted":true}}]}`,
          `{"model":"openclaw","input":"hi","metadata":{"${key}":{"polluted":true}}}`,
          `{"tool":"session_status","args":{"${key}":{"polluted":true}}}`,
          `{"tools":[{"type":"function","function":{"name":"x","parameters":{"${key}":{"polluted":true}}}}]}`,
        ]) {
          const answer = await post(gateway, path, body);
          expect([path, body, answer.status]).toEqual([path, body, 400]);
        }
      }
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    await served();
  });
});

describe("S14, S15, S16: the request itself", () => {
  test("nothing a client sends is repeated in a header", async () => {
    const answer = await ask(gateway, "/v1/models", {
      headers: { authorization: `Bearer ${gateway.token}`, "x-request-id": "evil", "x-evil": "1" },
    });
    expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
    expect(answer.headers.get("x-evil")).toBeNull();
  });

  test("bodies in another encoding are refused unread: a bomb stays small", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    for (const path of posts) {
      for (const encoding of ["gzip", "deflate", "br", "gzip, gzip", "zstd"]) {
        const answer = await ask(gateway, path, {
          method: "POST",
          headers: { authorization: `Bearer ${gateway.token}`, "content-encoding": encoding },
          body: bomb,
        });
        expect([path, encoding, answer.status]).toEqual([path, encoding, 415]);
      }
    }
  });

  test("the socket agrees to no compression", async () => {
    const socket = await raw(
      gateway,
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    );
    expect(socket.status).toBe(101);
    expect(socket.text.toLowerCase()).not.toContain("sec-websocket-extensions");
    socket.end();
  });

  test("deep, wide and endless JSON is refused in bounded time", async () => {
    const bodies = [
      "[".repeat(1_000_000),
      `{"messages":${"[".repeat(200)}${"]".repeat(200)}}`,
      `{"a":${'{"b":'.repeat(5_000)}1${"}".repeat(5_000)}}`,
      `{"messages":[${"0,".repeat(3_000_000)}0]}`,
      `{"messages":"${"\\u0000".repeat(1_000_000)}"}`,
    ];
    for (const body of bodies) {
      const startedAt = performance.now();
      expect((await post(gateway, chat, body)).status).toBe(400);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
    await served();
  });

  test("S14: a body behind a refusal is not taken for the next request", async () => {
    const inner = `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`;
    const socket = new RawSocket(gateway.port).write(
      `POST ${chat} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${inner.length}\r\n\r\n${inner}GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    await socket.ended;
    expect(socket.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(["HTTP/1.1 401", "HTTP/1.1 200"]);
  });
});

test("S30: refusals are in the log, and a flood of them is bounded", async () => {
  const before = gateway.log.length;
  for (let attempt = 0; attempt < 400; attempt++)
    await ask(gateway, "/v1/models", { headers: { origin: "http://localhost:1" } });
  const lines = gateway.log.slice(before).filter((line) => line.includes("http refused"));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThan(120);
});

describe("S17: clients that leave", () => {
  const metric = async (name: string) => {
    const { text } = await ask(gateway, "/metrics", { headers: { authorization: `Bearer ${gateway.token}` } });
    return Number(new RegExp(`^openclaw_${name} (\\S+)$`, "m").exec(text)?.[1]);
  };
  const descriptors = () => readdirSync("/proc/self/fd").length;

  test.runIf(process.platform === "linux")("leave nothing behind: no run, no lane, no descriptor", async () => {
    gateway.script = () => ["partial", { hang: true }];
    await until("nothing runs", () => true);
    const before = descriptors();
    for (let round = 0; round < 4; round++) {
      const sockets = Array.from({ length: 25 }, (_, index) => {
        const stream = index % 3 !== 0;
        const body = JSON.stringify({ ...hi, stream, ...(index % 2 === 0 ? {} : { user: `gone-${index % 4}` }) });
        return new RawSocket(gateway.port).write(
          `POST ${chat} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${gateway.token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
      });
      await sockets[1]?.until('"role":"assistant"');
      for (const socket of sockets) socket.end();
      await Promise.all(sockets.map((socket) => socket.ended));
    }
    const gone = async () =>
      (await metric("api_requests_active")) + (await metric("runs_running")) + (await metric("runs_waiting"));
    const end = performance.now() + 5_000;
    while ((await gone()) > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await gone()).toBe(0);
    expect(await metric("queue_lane_size")).toBe(0);
    await until("the descriptors are back", () => descriptors() <= before + 8, 5_000);
    gateway.script = () => ["ok"];
    await served();
    expect(gateway.log.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});
