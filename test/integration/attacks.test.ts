/** The attack table for HTTP and WebSocket (reliability.md §5): hostile pages, rebound names, guesses, traversal, smuggling, bombs,
 *  poisoned JSON, clients that leave. Nothing of it may succeed, and an honest client is served all the while. */
import { readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { ask, errorOf, post, raw, RawSocket, until } from "./http-client.ts";

let gateway: ScriptedGateway;
const chat = "/v1/chat/completions";
const hi = { messages: [{ role: "user", content: "hi" }] };
const posts = [chat, "/v1/responses", "/tools/invoke"];

beforeAll(async () => {
  gateway = await openScriptedGateway({
    config: {
      gateway: {
        http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } },
        trustedProxies: ["127.0.0.1"],
      },
    },
  });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.script = () => ["ok"];
});
const served = async () => expect((await post(gateway, chat, hi)).status).toBe(200);

/** Spellings a page may have that is not the gateway's own. `$P` is the gateway's port. */
const foreignOrigins = [
  "https://evil.example",
  "http://evil.example:$P",
  "http://localhost.evil.example:$P",
  "http://127.0.0.1.evil.example:$P",
  "http://127.0.0.1.nip.io:$P",
  "http://evil.example/http://localhost:$P",
  "http://localhost:$P@evil.example",
  "http://evil.example#localhost:$P",
  "http://evil.example?localhost:$P",
  "http://localhost$P.evil.example",
  "http://xn--lcalhost-n8a:$P",
  "http://loсalhost:$P",
  "http://192.168.1.5:$P",
  "http://10.0.0.1",
  "http://[fe80::1]:$P",
  "http://0.0.0.0:$P",
  "http://gateway:$P",
  "http://localhost.:$P.evil.example",
  "https://sub.localhost.evil.example",
  "null",
  "file://",
  "file:///tmp/x.html",
  "chrome-extension://abcdefghijklmnop",
  "moz-extension://abc",
  "about:blank",
  "data:text/html,x",
  "javascript:alert(1)",
  "localhost:$P",
  "//localhost:$P",
  "http://",
  "http:// localhost:$P",
  "*",
  "undefined",
];
const originOf = (text: string) => text.replaceAll("$P", String(gateway.port)).replace(/[^\x20-\x7e]/g, "o");

describe("S1: pages of other sites", () => {
  test("no spelling of a foreign origin gets through a route, secret or not", async () => {
    for (const spelling of foreignOrigins) {
      const origin = originOf(spelling);
      for (const authorization of [`Bearer ${gateway.token}`, ""]) {
        const head = `Host: localhost:${gateway.port}\r\nOrigin: ${origin}\r\nAuthorization: ${authorization}\r\n`;
        for (const request of [
          `GET /v1/models HTTP/1.1\r\n${head}\r\n`,
          `POST ${chat} HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\n{}`,
        ]) {
          const answer = await raw(gateway, request);
          expect([origin, answer.status]).toEqual([origin, 403]);
          expect(answer.text.toLowerCase()).not.toContain("access-control-allow");
          answer.end();
        }
      }
    }
    await served();
  });

  test("no spelling of a foreign origin opens the control socket", async () => {
    for (const spelling of foreignOrigins) {
      const origin = originOf(spelling);
      await expect(gateway.connect({}, { origin }), origin).rejects.toThrow();
    }
    const own = await gateway.connect({}, { origin: `http://localhost:${gateway.port}` });
    await own.close();
  });

  test("a form or a fetch of another site changes nothing, whatever its content type", async () => {
    for (const path of posts) {
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json",
      ]) {
        const bare = await post(gateway, path, hi, { authorization: "", "content-type": type });
        expect([path, bare.status]).toEqual([path, 401]);
        const cross = await post(gateway, path, hi, { "sec-fetch-site": "cross-site", "content-type": type });
        expect([path, cross.status]).toEqual([path, 403]);
      }
    }
  });

  test("a request for private network access is not granted", async () => {
    const answer = await ask(gateway, chat, {
      method: "OPTIONS",
      headers: {
        origin: "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-private-network": "true",
      },
    });
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("S2: rebound names", () => {
  const foreign = [
    "evil.example",
    "evil.example:18789",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "evil.localhost.example",
    "localhostx",
    "xlocalhost",
    "192.168.1.5",
    "0.0.0.0",
    "10.0.0.1:80",
    "[fe80::1]",
    "[::ffff:10.0.0.1]",
    "2130706433x",
    "localhost@evil.example",
    "localhost/evil.example",
    "localhost#evil",
    "localhost?x",
    "localhost:1:2",
    "local host",
    "ts.net.evil.example",
    "evilts.net",
    "a,localhost",
    "localhost,evil.example",
    "-",
    "%6cocalhost",
  ];

  test("no foreign Host reaches a route, a page or a probe's details", async () => {
    for (const host of foreign) {
      for (const path of ["/", "/v1/models", "/chat", "/metrics"]) {
        const answer = await raw(
          gateway,
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`,
        );
        expect([host, path, [400, 421].includes(answer.status)]).toEqual([host, path, true]);
        answer.end();
      }
      const probe = await raw(gateway, `GET /readyz HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      if (probe.status === 200) expect(probe.text).not.toContain("failing");
      probe.end();
    }
  });

  test("names that nobody can rebind are served", async () => {
    for (const host of [
      "localhost",
      `localhost:${gateway.port}`,
      "127.0.0.1",
      "[::1]",
      "LOCALHOST",
      "my.localhost:1",
    ]) {
      const answer = await raw(
        gateway,
        `GET /v1/models HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`,
      );
      expect([host, answer.status]).toEqual([host, 200]);
      answer.end();
    }
  });
});

describe("S6: guessing", () => {
  const guess = (secret: string, from: Record<string, string>) =>
    ask(gateway, "/v1/models", { headers: { authorization: `Bearer ${secret}`, ...from } });

  test("X25: ten wrong bearers lock an address, also for the right one, until the lock is over; others are not touched", async () => {
    const from = { "x-forwarded-for": "203.0.113.9" };
    for (let attempt = 0; attempt < 10; attempt++) expect((await guess(`wrong-${attempt}`, from)).status).toBe(401);
    const locked = await guess(gateway.token, from);
    expect([locked.status, errorOf(locked)]).toEqual([
      429,
      { message: "Too many failed authentication attempts. Please try again later.", type: "rate_limited" },
    ]);
    expect(Number(locked.headers.get("retry-after"))).toBeGreaterThan(200);
    expect((await guess(gateway.token, { "x-forwarded-for": "203.0.113.10" })).status).toBe(200);
    expect((await guess(gateway.token, {})).status).toBe(200);
    await gateway.world.jump(300_001);
    expect((await guess(gateway.token, from)).status).toBe(200);
  });

  test("a page on the owner's machine is locked by its origin", async () => {
    const from = { origin: "http://localhost:5173" };
    for (let attempt = 0; attempt < 10; attempt++) expect((await guess("wrong", from)).status).toBe(401);
    expect((await guess(gateway.token, from)).status).toBe(429);
    expect((await guess(gateway.token, {})).status).toBe(200);
    await gateway.world.jump(300_001);
  });

  test("R-AUTH-1: the owner's machine is slowed down and never locked out", async () => {
    const startedAt = performance.now();
    for (let attempt = 0; attempt < 7; attempt++) expect((await guess("wrong", {})).status).toBe(401);
    expect(performance.now() - startedAt).toBeGreaterThan(200);
    expect((await guess(gateway.token, {})).status).toBe(200);
  });

  test("a missing bearer is no guess; two of them are none", async () => {
    const from = { "x-forwarded-for": "203.0.113.20" };
    for (let attempt = 0; attempt < 15; attempt++)
      expect((await ask(gateway, "/v1/models", { headers: from })).status).toBe(401);
    expect((await guess(gateway.token, from)).status).toBe(200);
    const twice = await raw(
      gateway,
      `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${gateway.token}\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`,
    );
    expect(twice.status).toBe(401);
  });

  test("S7, X18: forwarding headers of a stranger change nothing", async () => {
    const other = await openScriptedGateway({});
    const answer = await ask(other, "/readyz", { headers: { "x-forwarded-for": "127.0.0.1" } });
    expect(answer.json).not.toHaveProperty("failing");
    await other.stop();
  });

  test("S30: refusals are in the log with address and origin, and a flood of them is bounded", async () => {
    const before = gateway.log.length;
    for (let attempt = 0; attempt < 400; attempt++)
      await ask(gateway, "/v1/models", { headers: { origin: "http://localhost:1" } });
    const lines = gateway.log.slice(before).filter((line) => line.includes("http refused"));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(120);
  });
});

describe("S10: traversal", () => {
  const up = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%5c",
    "..\\",
    "....//",
    "%252e%252e%252f",
    "..;/",
    "%c0%ae%c0%ae/",
    "..%00/",
    "./../",
    "%2e./",
  ];
  const targets = ["etc/passwd", "proc/self/environ", "openclaw.json"];
  const roots = ["/", "/assets/", "/avatar/", "/chat/", "/__openclaw__/canvas/", "/__openclaw__/a2ui/", "/v1/models/"];

  test("no spelling leaves a root", async () => {
    const secrets = [/root:.*:0:0:/, /PATH=/, new RegExp(gateway.token)];
    for (const root of roots) {
      for (const step of up) {
        for (const target of targets) {
          const path = `${root}${step.repeat(8)}${target}`;
          const answer = await raw(gateway, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
          await answer.ended;
          for (const secret of secrets) expect([path, secret.test(answer.text)]).toEqual([path, false]);
          expect([path, answer.status < 500 || answer.status === 503]).toEqual([path, true]);
        }
      }
    }
  });
});

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
