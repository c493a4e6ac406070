/** The canvas through a real gateway: both ports, files, guards, reload, addresses for devices (canvas-browser-nodes.md, V01-V18). */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type GatewayOptions, openGateway, type TestGateway } from "../support/gateway.ts";
import { freePort, token } from "../support/process.ts";

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Sends the path as it is: no client in between makes it harmless. */
function ask(
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

const open: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.stop();
});

/** A gateway whose canvas has a port nobody else uses. */
async function start(options: GatewayOptions = {}, canvasHost: Record<string, unknown> = {}) {
  const canvas = await freePort();
  const gateway = await openGateway({
    ...options,
    config: { canvasHost: { port: canvas, ...canvasHost }, ...options.config },
  });
  return { gateway, canvas };
}
async function own(options: GatewayOptions = {}, canvasHost: Record<string, unknown> = {}) {
  const started = await start(options, canvasHost);
  open.push(started.gateway);
  return started;
}
const folderOf = (gateway: TestGateway) => join(gateway.home.path, "workspace", "canvas");

/** A socket, what it heard, and the status of a refusal. */
function listen(url: string, options: { headers?: Record<string, string>; origin?: string } = {}) {
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

describe("one gateway", () => {
  let gateway: TestGateway;
  let canvas: number;
  let root: string;
  beforeAll(async () => {
    ({ gateway, canvas } = await start());
    root = folderOf(gateway);
    mkdirSync(join(root, "sub", "empty"), { recursive: true });
    mkdirSync(join(gateway.home.path, "outside"));
    writeFileSync(join(gateway.home.path, "outside", "secret.txt"), "top secret");
    writeFileSync(join(root, "sub", "index.html"), "<html><body><p>sub</p></BODY></html>");
    writeFileSync(join(root, "bare.htm"), "<p>bare");
    writeFileSync(join(root, "style.css"), "p { color: red }</body>");
    writeFileSync(join(root, "data.json"), '{"a":1}');
    writeFileSync(join(root, ".hidden"), "no");
    symlinkSync(join(gateway.home.path, "outside"), join(root, "out"));
    symlinkSync(join(gateway.home.path, "outside", "secret.txt"), join(root, "out.txt"));
  });
  afterAll(() => gateway.stop());

  test("V01 an empty state gets a folder and a first page, served on both ports with the bridge", async () => {
    expect(existsSync(join(root, "index.html"))).toBe(true);
    for (const port of [gateway.port, canvas]) {
      const { status, headers, body } = await ask(port, "/__openclaw__/canvas/");
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-length": String(Buffer.byteLength(body)),
      });
      expect(body).toContain("sendUserAction");
      for (const name of ["hello", "time", "photo", "dalek"]) expect(body).toContain(`data-action="${name}"`);
      expect(headers["content-security-policy"]).toBe(
        port === canvas ? undefined : "sandbox allow-scripts allow-forms allow-popups allow-modals",
      );
    }
    expect(await ask(canvas, "/")).toMatchObject({ status: 302, headers: { location: "/__openclaw__/canvas/" } });
    for (const path of ["/health", "/v1/models", "/index.html", "/__openclaw__/", "/__openclaw__/canvasx"])
      expect((await ask(canvas, path)).status, path).toBe(404);
  });

  test("V02 a folder answers with its index, and what is missing says so", async () => {
    for (const port of [gateway.port, canvas]) {
      const sub = await ask(port, "/__openclaw__/canvas/sub/");
      expect(sub.body).toMatch(/^<html><body><p>sub<\/p><script>.*<\/script><\/BODY><\/html>$/su);
      expect(await ask(port, "/__openclaw__/canvas/sub?x=1")).toMatchObject({
        status: 302,
        headers: { location: "/__openclaw__/canvas/sub/?x=1" },
      });
      expect((await ask(port, "/__openclaw__/canvas")).headers.location).toBe("/__openclaw__/canvas/");
      expect(await ask(port, "/__openclaw__/canvas/none.png")).toMatchObject({ status: 404, body: "not found" });
      const empty = await ask(port, "/__openclaw__/canvas/sub/empty/");
      expect(empty.status).toBe(404);
      expect(empty.headers["content-type"]).toContain("text/html");
      expect(empty.body).toContain("sub/empty/index.html");
      expect((await ask(port, "/__openclaw__/canvas/%3Cscript%3E/")).body).not.toContain("<script>");
    }
  });

  test("V03 files are byte for byte what they are, with their type; pages get the script at the end", async () => {
    const css = await ask(canvas, "/__openclaw__/canvas/style.css");
    expect(css).toMatchObject({
      body: "p { color: red }</body>",
      headers: { "content-type": "text/css; charset=utf-8" },
    });
    const json = await ask(canvas, "/__openclaw__/canvas/data.json");
    expect(json).toMatchObject({ body: '{"a":1}', headers: { "content-type": "application/json; charset=utf-8" } });
    expect((await ask(canvas, "/__openclaw__/canvas/bare.htm")).body).toMatch(/^<p>bare<script>/u);
    const part = await ask(canvas, "/__openclaw__/canvas/data.json", { headers: { range: "bytes=2-4" } });
    expect(part).toMatchObject({ status: 206, body: 'a":', headers: { "content-range": "bytes 2-4/7" } });
    const beyond = await ask(canvas, "/__openclaw__/canvas/data.json", { headers: { range: "bytes=70-" } });
    expect(beyond).toMatchObject({ status: 416, headers: { "content-range": "bytes */7" } });
  });

  const hostile = [
    "/../../outside/secret.txt",
    "/%2e%2e/%2e%2e/outside/secret.txt",
    "/%2e%2e%2f%2e%2e%2foutside%2fsecret.txt",
    "/..%5c..%5coutside%5csecret.txt",
    "/..%2f..%2foutside/secret.txt",
    "/sub/../../../outside/secret.txt",
    "/out/secret.txt",
    "/out.txt",
    "/out",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/index.html%00.png",
    "/.hidden",
    "/sub/..",
    "/%252e%252e/%252e%252e/outside/secret.txt",
    `/${"a/".repeat(2_500)}x`,
  ];
  test.each(hostile)("V04, V05 %.60s leads nowhere", async (path) => {
    for (const port of [gateway.port, canvas]) {
      const { status, body } = await ask(port, `/__openclaw__/canvas${path}`);
      expect([400, 404], `${port} ${status}`).toContain(status);
      expect(body).not.toContain("secret\n");
      expect(body).not.toContain("top secret");
      expect(body).not.toContain("root:");
    }
  });

  test("V06, V07 a broken escape is 400, another method 405, HEAD has no body", async () => {
    for (const port of [gateway.port, canvas]) {
      expect((await ask(port, "/__openclaw__/canvas/%zz")).status).toBe(400);
      const post = await ask(port, "/__openclaw__/canvas/", { method: "POST" });
      expect(post).toMatchObject({ status: 405, body: "Method Not Allowed" });
      expect(post.headers.allow).toContain("GET");
      const head = await ask(port, "/__openclaw__/canvas/", { method: "HEAD" });
      expect(head).toMatchObject({ status: 200, body: "" });
      expect(Number(head.headers["content-length"])).toBeGreaterThan(100);
    }
  });

  test("V08 a change reloads once, many quick ones once or twice, hidden ones never", async () => {
    for (const port of [gateway.port, canvas]) {
      const { opened, heard, next, socket, closed } = listen(`ws://127.0.0.1:${port}/__openclaw__/ws`);
      expect(await opened).toBe(101);
      // The watch begins with the first socket; a first change shows that it does.
      const probing = (async () => {
        for (let n = 0; heard.length === 0 && n < 50; n++) {
          writeFileSync(join(root, "probe.txt"), String(n));
          await new Promise<void>((resolve) => setTimeout(resolve, 120));
        }
      })();
      await next(1);
      await probing;
      await new Promise<void>((resolve) => setTimeout(resolve, 300));
      const before = heard.length;
      writeFileSync(join(root, ".secret"), "x");
      mkdirSync(join(root, "node_modules"), { recursive: true });
      writeFileSync(join(root, "node_modules", "x.js"), "x");
      for (let n = 0; n < 10; n++) writeFileSync(join(root, "probe.txt"), `quick ${n}`);
      await next(before + 1);
      await new Promise<void>((resolve) => setTimeout(resolve, 300));
      expect(heard.length - before).toBeLessThanOrEqual(2);
      const made = heard.length;
      mkdirSync(join(root, `new-${port}`));
      await next(made + 1);
      writeFileSync(join(root, `new-${port}`, "page.txt"), "x");
      await next(made + 2);
      rmSync(join(root, `new-${port}`), { recursive: true });
      await next(made + 3);
      expect(new Set(heard)).toEqual(new Set(["reload"]));
      socket.close();
      await closed;
    }
  });

  test("V10 the reload path without an upgrade is 426; what clients send is bounded", async () => {
    for (const port of [gateway.port, canvas]) {
      expect(await ask(port, "/__openclaw__/ws")).toMatchObject({ status: 426, body: "upgrade required" });
      const quiet = listen(`ws://127.0.0.1:${port}/__openclaw__/ws`);
      await quiet.opened;
      quiet.socket.send("hello");
      quiet.socket.ping("are you there");
      await new Promise((resolve) => quiet.socket.once("pong", resolve));
      quiet.socket.send("x".repeat(1_025));
      expect(await quiet.closed).toBe(1009);
    }
  });

  test("V10 at most 64 sockets wait for a reload, and a place is free again once one left", async () => {
    const all = Array.from({ length: 65 }, () => listen(`ws://127.0.0.1:${canvas}/__openclaw__/ws`));
    const statuses = await Promise.all(all.map(({ opened }) => opened));
    expect(statuses.filter((status) => status === 101)).toHaveLength(64);
    expect(statuses.filter((status) => status === 503)).toHaveLength(1);
    for (const { socket } of all) socket.terminate();
    await Promise.all(all.map(({ closed }) => closed));
    let status = 0;
    for (let round = 0; round < 50 && status !== 101; round++) {
      const again = listen(`ws://127.0.0.1:${canvas}/__openclaw__/ws`);
      status = await again.opened;
      again.socket.terminate();
    }
    expect(status).toBe(101);
  });

  test("V13 strangers get 401 or less, the bearer gets in, pages of other sites do not", async () => {
    for (const port of [gateway.port, canvas]) {
      const page = "/__openclaw__/canvas/";
      expect((await ask(port, page, { headers: { host: "evil.example" } })).status).toBe(421);
      const forwarded = { "x-forwarded-for": "203.0.113.9" };
      const refused = await ask(port, page, { headers: forwarded });
      expect(refused).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
      expect(JSON.parse(refused.body)).toEqual({ error: { message: "Unauthorized", type: "unauthorized" } });
      const wrong = { ...forwarded, authorization: "Bearer wrong" };
      expect((await ask(port, page, { headers: wrong })).body).toBe(refused.body);
      const right = { ...forwarded, authorization: `Bearer ${token}` };
      expect((await ask(port, page, { headers: right })).status).toBe(200);
      expect((await ask(port, `${page}?token=${token}`, { headers: forwarded })).status).toBeGreaterThanOrEqual(400);
      expect((await ask(port, page, { headers: { origin: "https://evil.example" } })).status).toBe(403);
      const url = `ws://127.0.0.1:${port}/__openclaw__/ws`;
      expect(await listen(url, { origin: "https://evil.example" }).opened).toBe(403);
      expect(await listen(url, { origin: "null" }).opened).toBe(403);
      expect(await listen(url, { headers: { host: "evil.example" } }).opened).toBe(421);
      expect(await listen(url, { headers: forwarded }).opened).toBe(401);
    }
    expect(await listen(`ws://127.0.0.1:${canvas}/`).opened).toBe(404);
  });

  test("S29 a page in the sandbox of the main port may wait for its reload: it knows what only a page is told", async () => {
    const { body } = await ask(gateway.port, "/__openclaw__/canvas/");
    const [, ticket] = /ws\?page=([0-9a-f]+)/u.exec(body) ?? [];
    const url = `ws://127.0.0.1:${gateway.port}/__openclaw__/ws?page=`;
    const right = listen(url + ticket, { origin: "null" });
    expect(await right.opened).toBe(101);
    right.socket.terminate();
    expect(await listen(`${url}00`, { origin: "null" }).opened).toBe(403);
  });

  test("V14 a device gets an address of its own that opens the canvas and nothing else, and ends with its connection", async () => {
    const node = await gateway.connect({
      role: "node",
      client: { id: "openclaw-ios", mode: "node", displayName: "iPad", instanceId: "ipad-1" },
    });
    const url = new URL(String(node.hello["canvasHostUrl"]));
    expect(url.port).toBe(String(canvas));
    const base = url.pathname;
    expect(base).toMatch(/^\/__openclaw__\/cap\/[A-Za-z0-9_-]{22,}$/u);
    const stranger = { "x-forwarded-for": "203.0.113.9" };
    for (const port of [gateway.port, canvas]) {
      const get = (path: string, headers = {}) => ask(port, path, { headers: { ...stranger, ...headers } });
      expect((await get(`${base}/__openclaw__/canvas/`)).status).toBe(200);
      expect((await get(`${base}/__openclaw__/canvas`)).headers.location).toBe(`${base}/__openclaw__/canvas/`);
      expect(await listen(`ws://127.0.0.1:${port}${base}/__openclaw__/ws`, { headers: stranger }).opened).toBe(101);
      expect((await get(`${base}x/__openclaw__/canvas/`)).status).toBe(401);
      expect((await get(`${base}/tools/invoke`)).status).toBe(404);
      expect((await get(`${base}/v1/models`)).status).toBe(404);
    }
    const secret = base.split("/").at(-1) ?? "";
    const bearer = { ...stranger, authorization: `Bearer ${secret}` };
    expect((await ask(gateway.port, "/__openclaw__/canvas/", { headers: bearer })).status).toBe(401);
    expect(gateway.log.filter((line) => line.includes(secret))).toEqual([]);
    await node.close();
    expect((await ask(canvas, `${base}/__openclaw__/canvas/`, { headers: stranger })).status).toBe(401);
    expect((await ask(canvas, `${base}/__openclaw__/canvas/`)).status).toBe(401);
  });

  test("V15 operators are told the plain address", async () => {
    const wire = await gateway.connect();
    expect(wire.hello["canvasHostUrl"]).toBe(`http://127.0.0.1:${canvas}`);
    await wire.close();
    const named = await gateway.connect({}, { headers: { host: `localhost:${gateway.port}` } });
    expect(named.hello["canvasHostUrl"]).toBe(`http://localhost:${canvas}`);
    await named.close();
  });

  test("V17 a large file streams", async () => {
    const path = join(root, "large.bin");
    writeFileSync(path, "");
    truncateSync(path, 200 * 1024 * 1024);
    const before = process.memoryUsage().rss;
    let most = 0;
    const bytes = await new Promise<number>((resolve, reject) => {
      request({ host: "127.0.0.1", port: canvas, path: "/__openclaw__/canvas/large.bin" }, (res) => {
        let size = 0;
        res.on("data", (part: Buffer) => {
          size += part.length;
          most = Math.max(most, process.memoryUsage().rss - before);
        });
        res.on("end", () => resolve(size));
      })
        .on("error", reject)
        .end();
    });
    rmSync(path);
    expect(bytes).toBe(200 * 1024 * 1024);
    expect(most).toBeLessThan(120 * 1024 * 1024);
  });

  test("a half-sent upgrade, frames without a mask and endless fragments end their own socket only", async () => {
    const lines = [
      `GET /__openclaw__/ws HTTP/1.1`,
      `Host: 127.0.0.1:${canvas}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
    ];
    const raw = (text: string | Buffer) =>
      new Promise<string>((resolve) => {
        const socket = connect(canvas, "127.0.0.1", () => socket.write(text));
        let heard = "";
        socket.on("data", (part: Buffer) => (heard += part.toString("latin1")));
        socket.on("close", () => resolve(heard));
        socket.on("error", () => resolve(heard));
      });
    expect(await raw(`${lines.join("\r\n")}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /u);
    const proper = `${lines.join("\r\n")}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    const unmasked = await raw(Buffer.concat([Buffer.from(proper), Buffer.from([0x81, 0x01, 0x41])]));
    expect(unmasked).toContain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(unmasked.endsWith("\x88\x02\x03\xea")).toBe(true);
    const part = Buffer.concat([Buffer.from([0x01, 0x80 | 100, 0, 0, 0, 0]), Buffer.alloc(100)]);
    const more = Buffer.concat([Buffer.from([0x00, 0x80 | 100, 0, 0, 0, 0]), Buffer.alloc(100)]);
    const endless = await raw(Buffer.concat([Buffer.from(proper), part, ...Array.from({ length: 11 }, () => more)]));
    expect(endless.endsWith("\x88\x02\x03\xf1")).toBe(true);
    expect((await ask(canvas, "/__openclaw__/canvas/")).status).toBe(200);
  });
});

test("V09 without live reload there is no socket and no attempt at one, and the bridge stays", async () => {
  const { gateway, canvas } = await own({}, { liveReload: false });
  for (const port of [gateway.port, canvas]) {
    expect((await ask(port, "/__openclaw__/ws")).status).toBe(404);
    expect(await listen(`ws://127.0.0.1:${port}/__openclaw__/ws`).opened).toBe(404);
    const { body } = await ask(port, "/__openclaw__/canvas/");
    expect(body).toContain("openclawSendUserAction");
    expect(body).not.toContain("new WebSocket");
  }
});

test.each([
  ["the config", {}, { enabled: false }],
  ["the environment", { OPENCLAW_SKIP_CANVAS_HOST: "yes" }, {}],
])("V11 switched off by %s there is no port, no route, no address and no tool", async (_name, env, canvasHost) => {
  const { gateway, canvas } = await own({ env }, canvasHost);
  for (const path of ["/__openclaw__/canvas/", "/__openclaw__/a2ui/", "/__openclaw__/ws"])
    expect((await ask(gateway.port, path)).status).toBe(404);
  expect(await listen(`ws://127.0.0.1:${gateway.port}/__openclaw__/ws`).opened).toBe(404);
  await expect(ask(canvas, "/__openclaw__/canvas/")).rejects.toThrow("ECONNREFUSED");
  const wire = await gateway.connect();
  expect(wire.hello).not.toHaveProperty("canvasHostUrl");
  expect(existsSync(folderOf(gateway))).toBe(false);
});

test("V12 the environment names the port before the config; a taken port is a warning", async () => {
  const named = await freePort();
  const { gateway, canvas } = await own({ env: { OPENCLAW_CANVAS_HOST_PORT: String(named) } });
  expect((await ask(named, "/__openclaw__/canvas/")).status).toBe(200);
  await expect(ask(canvas, "/__openclaw__/canvas/")).rejects.toThrow("ECONNREFUSED");
  expect((await ask(gateway.port, "/__openclaw__/canvas/")).status).toBe(200);
  const taker = createServer();
  const taken = await new Promise<number>((resolve) =>
    taker.listen(0, "127.0.0.1", () => resolve((taker.address() as { port: number }).port)),
  );
  const second = await own({}, { port: taken });
  expect(second.gateway.log.filter((line) => line.includes(`${taken} cannot be opened (it is in use)`))).toHaveLength(
    1,
  );
  expect((await ask(second.gateway.port, "/__openclaw__/canvas/")).status).toBe(200);
  const wire = await second.gateway.connect();
  expect(wire.hello["canvasHostUrl"]).toBe(`http://127.0.0.1:${second.gateway.port}`);
  await new Promise((resolve) => taker.close(resolve));
});

test("V12 without a word about it the port is the gateway's plus four", async () => {
  const port = await freePort();
  const gateway = await openGateway({ flags: { port } });
  open.push(gateway);
  const answer = await ask(port + 4, "/__openclaw__/canvas/").catch(() => undefined);
  // Somebody else may sit there; then a warning says so.
  if (answer === undefined || answer.status !== 200)
    expect(gateway.log.some((line) => line.includes(`${port + 4} cannot be opened`))).toBe(true);
});

test("V05, V18 a root of its own below a linked folder is served, and two gateways share nothing", async () => {
  const first = await own();
  const elsewhere = join(first.gateway.home.path, "real");
  mkdirSync(join(elsewhere, "pages"), { recursive: true });
  writeFileSync(join(elsewhere, "pages", "only.txt"), "only here");
  symlinkSync(elsewhere, join(first.gateway.home.path, "linked"));
  const second = await own({}, { root: join(first.gateway.home.path, "linked", "pages") });
  expect((await ask(second.canvas, "/__openclaw__/canvas/only.txt")).body).toBe("only here");
  expect((await ask(first.canvas, "/__openclaw__/canvas/only.txt")).status).toBe(404);
  expect(readFileSync(join(elsewhere, "pages", "index.html"), "utf8")).toContain("Canvas");
});

test("the agent's tool says where to look and judges what it would push", async () => {
  const { gateway } = await own();
  const wire = await gateway.connect();
  const { groups } = await wire.call<{ groups: { tools: { id: string; description: string }[] }[] }>(
    "tools.catalog",
    {},
  );
  const listed = groups.flatMap((group) => group.tools).find(({ id }) => id === "canvas");
  expect(listed?.description).toContain("Devices cannot be driven by this version yet");
});
