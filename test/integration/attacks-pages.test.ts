/** S1 and S2 of the attack table (reliability.md §5): pages of other sites and rebound names, in every spelling, against every route
 *  and every upgrade. Nothing of it may succeed, and the owner's own pages are served all the while. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { freePort } from "../support/process.ts";
import { ask, pipelined, post, raw } from "./http-client.ts";

let gateway: ScriptedGateway;
let canvas: number;
const chat = "/v1/chat/completions";
const hi = { messages: [{ role: "user", content: "hi" }] };
const posts = [chat, "/v1/responses", "/tools/invoke"];
const hookToken = "hook-token-0123456789abcdef";

beforeAll(async () => {
  canvas = await freePort();
  gateway = await openScriptedGateway({
    config: {
      gateway: {
        http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } },
        metrics: { enabled: true },
      },
      hooks: { enabled: true, token: hookToken },
      canvasHost: { port: canvas },
    },
  });
});
afterAll(() => gateway.stop());
const served = async () => expect((await post(gateway, chat, hi)).status).toBe(200);

/** Every route that holds data or does something: method, path, secret. */
const routes: readonly (readonly [method: string, path: string, secret?: string])[] = [
  ["GET", "/v1/models"],
  ["GET", "/v1/models/openclaw"],
  ...posts.map((path) => ["POST", path] as const),
  ["POST", "/hooks/wake", hookToken],
  ["POST", "/hooks/agent", hookToken],
  ["GET", "/metrics"],
  ["GET", "/control-ui-config.json"],
  ["GET", "/avatar/main"],
  ["GET", "/__openclaw__/canvas/"],
  ["GET", "/__openclaw__/a2ui/"],
  ["GET", "/__openclaw__/ws"],
];

/** All of them as one pipeline, with the right secret, under this Host and Origin. */
function requests(host: string, origin: string | undefined): string[] {
  return routes.map(([method, path, secret = gateway.token], index) =>
    [
      `${method} ${path} HTTP/1.1`,
      `Host: ${host}`,
      ...(origin === undefined ? [] : [`Origin: ${origin}`]),
      `Authorization: Bearer ${secret}`,
      "Content-Length: 2",
      ...(index === routes.length - 1 ? ["Connection: close"] : []),
      "",
      "{}",
    ].join("\r\n"),
  );
}

const foreignHosts = [
  "evil.example",
  "EVIL.example",
  "evil.example.",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "127.0.0.1.nip.io",
  "1.0.0.127.in-addr.arpa",
  "evil.localhost.example",
  "localhostx",
  "xlocalhost",
  "local-host",
  "localhost.",
  "localhost.localdomain",
  "0.0.0.0",
  "128.0.0.1",
  "126.255.255.255",
  "10.0.0.1",
  "192.168.1.5",
  "169.254.169.254",
  "8.8.8.8",
  "[fe80::1]",
  "[::2]",
  "[::ffff:10.0.0.1]",
  "[2001:db8::1]",
  "gateway",
  "openclaw.local",
  "ts.net.evil.example",
  "evilts.net",
  "xn--lcalhost-n8a",
  "xn--n3h.example",
];

/** Origins that are not the gateway's own; `$P` is its port. */
const foreignOrigins = [
  ...["http", "https"].flatMap((scheme) =>
    foreignHosts.flatMap((host) => ["", ":$P", ":80", ":443"].map((port) => `${scheme}://${host}${port}`)),
  ),
  "HTTP://EVIL.EXAMPLE:$P",
  "http://evil.example/http://localhost:$P",
  "http://localhost:$P@evil.example",
  "http://localhost%40evil.example",
  "http://evil.example#localhost:$P",
  "http://evil.example?localhost:$P",
  "http://evil.example;localhost:$P",
  "http://evil.example,http://localhost:$P",
  "http://localhost$P.evil.example",
  "http://localhost:$P.evil.example",
  "https://sub.localhost.evil.example",
  "http://localhost:99999",
  "http://[::1",
  "http://[::1]x:$P",
  "null",
  "NULL",
  "file://",
  "file:///tmp/x.html",
  "file://localhost/",
  "chrome-extension://abcdefghijklmnop",
  "moz-extension://abc",
  "safari-web-extension://abc",
  "capacitor://localhost",
  "ionic://localhost",
  "app://localhost",
  "ws://evil.example:$P",
  "about:blank",
  "about:srcdoc",
  "data:text/html,x",
  "blob:null/1",
  "javascript:alert(1)",
  "localhost:$P",
  "//localhost:$P",
  "http:",
  "http://",
  "http:// localhost:$P",
  "http://local host:$P",
  "*",
  "undefined",
  "-",
].map((spelling) => [spelling] as const);
const originOf = (spelling: string) => spelling.replaceAll("$P", String(gateway.port));

const upgrade = (path: string, host: string, origin: string) =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

describe("S1: pages of other sites", () => {
  test("S1: of two hundred spellings of a foreign origin none gets through a route, with the right secret", async () => {
    expect(new Set(foreignOrigins.map(String)).size).toBeGreaterThanOrEqual(200);
    for (const [spelling] of foreignOrigins) {
      const origin = originOf(spelling);
      const { statuses, text } = await pipelined(gateway.port, requests(`localhost:${gateway.port}`, origin));
      expect([origin, statuses]).toEqual([origin, routes.map(() => 403)]);
      expect(text.toLowerCase()).not.toContain("access-control-allow");
    }
    await served();
  });

  test("S1: nor an upgrade: the reload socket is refused on both ports, the control socket with its first word", async () => {
    const refusedInBand = async (origin: string) => {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`, { headers: { origin } });
      const frames: string[] = [];
      const connect = { minProtocol: 3, maxProtocol: 3, auth: { token: gateway.token } };
      const client = { id: "cli", version: "1", platform: "linux", mode: "cli" };
      socket.on("message", (data) => {
        frames.push(String(data));
        if (frames.length === 1)
          socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params: { ...connect, client } }));
      });
      socket.on("error", () => {});
      const code = await new Promise<number>((resolve) => socket.on("close", resolve));
      return { code, answer: frames[1] ?? "" };
    };
    for (const [spelling] of foreignOrigins) {
      const origin = originOf(spelling);
      for (const port of [gateway.port, canvas]) {
        const reload = await pipelined(port, [upgrade("/__openclaw__/ws", `localhost:${port}`, origin)]);
        expect([origin, port, reload.statuses]).toEqual([origin, port, [403]]);
      }
      const responses = await pipelined(gateway.port, [upgrade("/v1/responses", "localhost", origin)]);
      expect([origin, responses.statuses]).toEqual([origin, [404]]);
      const { code, answer } = await refusedInBand(origin);
      expect([origin, code, answer.includes("origin not allowed")]).toEqual([origin, 1008, true]);
    }
    const own = await gateway.connect({}, { origin: `http://localhost:${gateway.port}` });
    await own.close();
  });

  test("S1: only between loopback names may ports differ, and the secret is still needed", async () => {
    for (const origin of [
      "http://localhost:5173",
      "http://127.0.0.1:1",
      "http://[::1]:8080",
      "HTTP://LOCALHOST:5173",
    ]) {
      const bearer = { authorization: `Bearer ${gateway.token}` };
      expect([origin, (await ask(gateway, "/v1/models", { headers: { origin, ...bearer } })).status]).toEqual([
        origin,
        200,
      ]);
      expect([origin, (await ask(gateway, "/v1/models", { headers: { origin } })).status]).toEqual([origin, 401]);
    }
  });

  test("S1: an app, an extension or a file is let in by its exact origin in the config, and by nothing less", async () => {
    const listed = ["chrome-extension://abcdefghijklmnop", "capacitor://localhost", "https://ui.example/", "file://"];
    const other = await openScriptedGateway({
      config: {
        gateway: {
          controlUi: { allowedOrigins: [...listed, "null", "localhost"] },
          http: { endpoints: { chatCompletions: { enabled: true } } },
        },
      },
    });
    const status = async (origin: string) => {
      const headers = { origin, authorization: `Bearer ${other.token}` };
      return (await ask(other, "/v1/models", { headers })).status;
    };
    try {
      for (const origin of [...listed, "CHROME-EXTENSION://abcdefghijklmnop", "https://ui.example"]) {
        expect([origin, await status(origin)]).toEqual([origin, 200]);
        const wire = await other.connect({}, { origin });
        await wire.close();
      }
      for (const origin of [
        "chrome-extension://abcdefghijklmno",
        "chrome-extension://abcdefghijklmnopq",
        "chrome-extension://",
        "moz-extension://abcdefghijklmnop",
        "capacitor://localhost.evil.example",
        "capacitor://",
        "http://ui.example",
        "https://ui.example:444",
        "https://ui.example.evil.example",
        "null",
        "localhost",
        "*",
      ]) {
        expect([origin, await status(origin)]).toEqual([origin, 403]);
        await expect(other.connect({}, { origin }), origin).rejects.toThrow("origin not allowed");
      }
    } finally {
      await other.stop();
    }
  });

  test("S1: a form or a fetch of another site changes nothing, whatever its content type", async () => {
    const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"];
    for (const path of [...posts, "/hooks/wake"]) {
      for (const type of types) {
        const bare = await post(gateway, path, hi, { authorization: "", "content-type": type });
        expect([path, bare.status]).toEqual([path, 401]);
        const cross = await post(gateway, path, hi, { "sec-fetch-site": "cross-site", "content-type": type });
        expect([path, cross.status]).toEqual([path, 403]);
      }
    }
  });

  test("S1: no answer sets or reads a cookie", async () => {
    for (const [method, path] of [...routes, ["GET", "/"], ["GET", "/healthz"]] as const) {
      const headers = { cookie: `token=${gateway.token}; openclaw=${gateway.token}`, "x-forwarded-for": "203.0.113.5" };
      const answer = await ask(gateway, path, { method, headers });
      expect([path, answer.headers.get("set-cookie")]).toEqual([path, null]);
      if (path !== "/" && path !== "/healthz" && path !== "/avatar/main")
        expect([path, [401, 426].includes(answer.status)]).toEqual([path, true]);
    }
  });

  test("S1: a request for private network access is not granted", async () => {
    const headers = {
      origin: "https://evil.example",
      "access-control-request-method": "POST",
      "access-control-request-private-network": "true",
    };
    for (const [, path] of routes) {
      const answer = await ask(gateway, path, { method: "OPTIONS", headers });
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });
});

/** Host headers of a page whose name was rebound to this machine, or that no browser would send. */
const foreignForms = [
  ...foreignHosts.flatMap((host) => [host, `${host}:18789`, `${host}:80`]),
  // A URL parser takes it for 127.0.0.1, so as an origin it is nobody else's.
  "127.0.0.1.",
  "localhost@evil.example",
  "evil.example@localhost",
  "localhost/evil.example",
  "evil.example/localhost",
  "localhost#evil",
  "localhost?x",
  "localhost:1:2",
  "localhost:x",
  "localhost:",
  "localhost:999999",
  "local host",
  "a,localhost",
  "localhost,evil.example",
  "http://localhost",
  "-",
  "*",
  "[::1",
  "::1",
  "[localhost]",
  "2130706433x",
  "%6cocalhost",
  "localhost%00.evil.example",
];

describe("S2: rebound names", () => {
  test("S2: of a hundred forms of a foreign Host none reaches a route, a page, a file or an upgrade", async () => {
    expect(new Set(foreignForms).size).toBeGreaterThanOrEqual(100);
    const pages = ["/", "/chat", "/index.html", "/assets/index.js", "/manifest.webmanifest", "/nope", "/openclaw.json"];
    for (const host of foreignForms) {
      const static_ = pages.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      for (const batch of [static_.concat(requests(host, undefined)), requests(host, `http://${host}`)]) {
        const { statuses } = await pipelined(gateway.port, batch);
        expect([host, statuses.length]).toEqual([host, batch.length]);
        expect([host, statuses.filter((status) => status !== 400 && status !== 421)]).toEqual([host, []]);
      }
      for (const [port, path] of [
        [gateway.port, "/"],
        [gateway.port, "/__openclaw__/ws"],
        [canvas, "/__openclaw__/ws"],
      ] as const) {
        const { statuses } = await pipelined(port, [upgrade(path, host, `http://${host}`)]);
        expect([host, path, [400, 421].includes(statuses[0] ?? 0)]).toEqual([host, path, true]);
      }
      const onCanvas = await pipelined(canvas, [
        `GET /__openclaw__/canvas/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      ]);
      expect([host, [400, 421].includes(onCanvas.statuses[0] ?? 0)]).toEqual([host, true]);
    }
    await served();
  });

  test("S2: probes answer under any Host, and without detail", async () => {
    for (const host of foreignForms) {
      const head = `Host: ${host}\r\n\r\n`;
      const { statuses, text } = await pipelined(gateway.port, [
        `GET /healthz HTTP/1.1\r\n${head}`,
        `GET /startupz HTTP/1.1\r\n${head}`,
        `GET /readyz HTTP/1.1\r\nConnection: close\r\n${head}`,
      ]);
      expect([host, statuses]).toEqual([host, [200, 200, 200]]);
      expect(text).not.toMatch(/failing|uptimeMs|version"/);
    }
  });

  test("S2, X21: names that nobody can rebind are served", async () => {
    for (const host of [
      "localhost",
      `localhost:${gateway.port}`,
      "127.0.0.1",
      "127.0.0.1:18789",
      "[::1]",
      "[::1]:18789",
      `[::1]:${gateway.port}`,
      "LOCALHOST",
      "my.localhost:1",
      "box.tail1.ts.net",
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
