/** The canvas through a real gateway: both ports, files, guards, addresses for devices (canvas-browser-nodes.md, V01-V18). What
 *  reloads is in canvas-reload.test.ts. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type GatewayOptions, openGateway, type TestGateway } from "../support/gateway.ts";
import { freePort, token } from "../support/process.ts";
import { ask, folderOf, listen, start } from "./canvas-rig.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const open: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.stop();
});
async function own(options: GatewayOptions = {}, canvasHost: Record<string, unknown> = {}) {
  const started = await start(options, canvasHost);
  open.push(started.gateway);
  return started;
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
    writeFileSync(join(root, "script.js"), "// </body>\u00e9");
    writeFileSync(join(root, "dot.png"), png);
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
    const js = await ask(canvas, "/__openclaw__/canvas/script.js");
    expect([js.body, String(js.headers["content-type"])]).toEqual([
      "// </body>\u00e9",
      expect.stringMatching(/^text\/javascript; charset=utf-8$/u),
    ]);
    const picture = await fetch(`http://127.0.0.1:${canvas}/__openclaw__/canvas/dot.png`);
    expect(picture.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await picture.arrayBuffer()).equals(png)).toBe(true);
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
      for (const path of [
        ..."/tools/invoke /v1/models /v1/chat/completions /hooks/wake /metrics /healthz /readyz /avatar/main".split(
          " ",
        ),
        ..."/ /index.html /control-ui-config.json /__openclaw__/ /__openclaw__/canvasx/ /__openclaw__/cap/x".split(" "),
      ])
        expect([path, (await get(base + path)).status]).toEqual([path, 404]);
      expect((await ask(port, `${base}/tools/invoke`, { method: "POST", headers: stranger, body: "{}" })).status).toBe(
        404,
      );
    }
    const secret = base.split("/").at(-1) ?? "";
    const bearer = { ...stranger, authorization: `Bearer ${secret}` };
    for (const path of ["/__openclaw__/canvas/", "/control-ui-config.json", "/metrics"])
      expect([path, (await ask(gateway.port, path, { headers: bearer })).status]).toEqual([path, 401]);
    const invoked = { method: "POST", headers: bearer, body: '{"tool":"sessions_list"}' };
    expect((await ask(gateway.port, "/tools/invoke", invoked)).status).toBe(401);
    expect((await ask(gateway.port, `${base}/control-ui-config.json`, { headers: stranger })).status).toBe(404);
    await expect(gateway.connect({ token: secret })).rejects.toThrow("mismatch");
    expect(gateway.log.filter((line) => line.includes(secret))).toEqual([]);
    await node.close();
    expect((await ask(canvas, `${base}/__openclaw__/canvas/`, { headers: stranger })).status).toBe(401);
    expect((await ask(canvas, `${base}/__openclaw__/canvas/`)).status).toBe(401);
  });

  test("X24: whatever the canvas port answers carries nosniff", async () => {
    const page = "/__openclaw__/canvas/";
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const asked: [path: string, status: number, options?: Parameters<typeof ask>[2]][] = [
      ["/", 302],
      [page.slice(0, -1), 302],
      [page, 200],
      [page, 405, { method: "POST" }],
      [page, 200, { method: "HEAD" }],
      [page, 401, { headers: { "x-forwarded-for": "203.0.113.9" } }],
      [page, 403, { headers: { origin: "https://evil.example" } }],
      [page, 421, { headers: { host: "evil.example" } }],
      [`${page}data.json`, 206, { headers: { range: "bytes=0-1" } }],
      [`${page}data.json`, 416, { headers: { range: "bytes=70-" } }],
      [`${page}none.png`, 404],
      [`${page}none/`, 404],
      [`${page}%zz`, 400],
      ["/__openclaw__/ws", 426],
      ["/__openclaw__/ws", 421, { headers: { ...upgrade, host: "evil.example" } }],
      ["/__openclaw__/ws", 400, { headers: { connection: "Upgrade", upgrade: "websocket" } }],
      ["/nope", 404],
      ["/nope", 404, { headers: upgrade }],
    ];
    for (const port of [canvas, gateway.port])
      for (const [path, status, options] of asked) {
        if (port === gateway.port && !path.startsWith("/__openclaw__")) continue;
        const { status: got, headers } = await ask(port, path, options);
        expect([port, path, got, headers["x-content-type-options"]]).toEqual([port, path, status, "nosniff"]);
      }
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
    // Of this process's own doing: RSS would count what other files of the suite take meanwhile.
    const held = () => {
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const before = held();
    let most = 0;
    const bytes = await new Promise<number>((resolve, reject) => {
      request({ host: "127.0.0.1", port: canvas, path: "/__openclaw__/canvas/large.bin" }, (res) => {
        let size = 0;
        res.on("data", (part: Buffer) => {
          size += part.length;
          most = Math.max(most, held() - before);
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
