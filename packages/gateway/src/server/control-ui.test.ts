/** http.md §13.10, the cases of serving; numbers in brackets are theirs. Raw sockets, since clients clean paths up. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { controlUiRoutes, noControlUiRoutes, normalBasePath, type Avatar, type ControlUiParts } from "./control-ui.ts";
import type { Route } from "./http.ts";
import { startRig, testToken, type Rig } from "./server.fixture.ts";

let folder: string;
let rig: Rig;

const inline = 'document.title = "x";';
const page = `<!doctype html><html lang="en"><head><script>${inline}</script><script src="./assets/app-AAAAAAAA.js"></script></head></html>`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openclaw-ui-"));
  mkdirSync(join(folder, "ui/assets"), { recursive: true });
  writeFileSync(join(folder, "ui/index.html"), page);
  writeFileSync(join(folder, "ui/assets/app-AAAAAAAA.js"), "let one = 1;");
  writeFileSync(join(folder, "ui/assets/app-AAAAAAAA.js.br"), brotliCompressSync("let one = 1;"));
  writeFileSync(join(folder, "ui/.secret"), "dot");
  writeFileSync(join(folder, "outside.txt"), "outside");
  symlinkSync(join(folder, "outside.txt"), join(folder, "ui/assets/link.txt"));
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(given: Partial<ControlUiParts> = {}, others: readonly Route[] = []): Promise<void> {
  const routes = controlUiRoutes({
    root: join(folder, "ui"),
    basePath: "",
    version: "2026.11.0",
    assistant: () => ({ agentId: "main", name: "</script><img src=x onerror=alert(1)>", avatar: "A" }),
    avatar: () => Promise.resolve(undefined),
    reserved: ["/v1", "/tools", "/api", "/__openclaw__", "/hooks"],
    ...given,
  });
  rig = await startRig({ parts: { routes: [...others, ...routes] } });
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(rig.listener.port, "127.0.0.1");
    const chunks: Buffer[] = [];
    const all = { Host: `127.0.0.1:${rig.listener.port}`, Connection: "close", ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const whole = Buffer.concat(chunks);
      const end = whole.indexOf("\r\n\r\n");
      const [first = "", ...rest] = whole.subarray(0, end).toString().split("\r\n");
      const pairs = rest.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 2),
      ]);
      resolve({
        status: Number(first.split(" ")[1]),
        headers: Object.fromEntries(pairs),
        body: whole.subarray(end + 4),
      });
    });
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  });
}

/** Of an answer, without what differs from one to the next. */
const without = ({ date: _date, "x-request-id": _id, ...headers }: Record<string, string>) => headers;

const isPage = ({ status, headers }: Answer): boolean =>
  status === 200 && (headers["content-type"] ?? "").startsWith("text/html");

describe("without a base path", () => {
  test("the page is not cached, not framed, and runs the build's own scripts only [U01]", async () => {
    await serve();
    const { status, headers } = await ask("/");
    const hash = createHash("sha256").update(inline).digest("base64");
    expect([status, headers["cache-control"], headers["x-frame-options"]]).toEqual([200, "no-cache", "DENY"]);
    expect(headers["content-security-policy"]).toBe(
      `default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; script-src 'self' 'sha256-${hash}'; ` +
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; media-src 'self' data: blob:; font-src 'self'; " +
        "worker-src 'self'; connect-src 'self' ws: wss:",
    );
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
  });

  test.each(["/chat", "/sessions/x", "/chat/agent:main:main", "/nowhere"])(
    "%s is a place inside the app [U02]",
    async (path) => {
      await serve();
      expect(isPage(await ask(path))).toBe(true);
    },
  );

  test("assets are found from every depth, missing ones are not pages [U03, U19]", async () => {
    await serve();
    const asset = await ask("/assets/app-AAAAAAAA.js");
    expect(asset.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
    });
    expect((await ask("/sessions/assets/app-AAAAAAAA.js")).body.toString()).toBe("let one = 1;");
    for (const path of ["/assets/gone-AAAAAAAA.js", "/gone.css", "/x/y.map"])
      expect((await ask(path)).status).toBe(404);
  });

  test("HEAD has the headers and no body, other methods are refused [U04, U05]", async () => {
    await serve();
    const [get, head] = [await ask("/"), await ask("/", {}, "HEAD")];
    expect(head.body).toHaveLength(0);
    expect(without(head.headers)).toEqual(without(get.headers));
    expect((await ask("/", {}, "POST")).status).toBe(405);
  });

  test.each(["/ui", "/ui/", "/ui/chat"])("the old place %s is gone [U08]", async (path) => {
    await serve();
    expect((await ask(path)).status).toBe(404);
  });

  test.each([
    "/..%2f..%2foutside.txt",
    "/%2e%2e/outside.txt",
    "/assets/../../outside.txt",
    "/assets/..%2f..%2foutside.txt",
    "/a%00.js",
    "/%5c..%5coutside.txt",
    "/.secret",
    "/assets/link.txt",
    "/c:/outside.txt",
  ])("%s never leaves the folder [U09, U10]", async (path) => {
    await serve();
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(answer.body.toString()).not.toContain("outside");
  });

  test("a path that cannot be decoded is a bad request [U11]", async () => {
    await serve();
    expect((await ask("/%zz")).status).toBe(400);
  });

  test.each(["/v1/nope", "/tools/nope", "/api", "/api/nope", "/hooks/nope", "/__openclaw__/nope"])(
    "%s belongs to an API and is no page [U20]",
    async (path) => {
      await serve();
      expect((await ask(path)).status).toBe(404);
      expect((await ask(path, {}, "POST")).status).toBe(404);
    },
  );

  test("a route of another surface keeps its own paths and methods", async () => {
    await serve({}, [{ methods: ["POST"], path: "/v1/things", handle: (_req, res) => void res.end("made") }]);
    expect((await ask("/v1/things", {}, "POST")).body.toString()).toBe("made");
    expect((await ask("/v1/things")).status).toBe(405);
  });

  test("a foreign Host is refused, a name of this machine is not [U21]", async () => {
    await serve();
    expect((await ask("/", { Host: "evil.example" })).status).toBe(421);
    expect((await ask("/", { Host: `localhost:${rig.listener.port}` })).status).toBe(200);
  });

  test("compressed forms go to those who take them, and what is known is not sent again [U23]", async () => {
    await serve();
    const path = "/assets/app-AAAAAAAA.js";
    const small = await ask(path, { "Accept-Encoding": "gzip, deflate, br" });
    expect(small.headers).toMatchObject({ "content-encoding": "br", vary: "Accept-Encoding" });
    expect(brotliDecompressSync(small.body).toString()).toBe("let one = 1;");
    expect((await ask(path, { "Accept-Encoding": "br;q=0" })).headers["content-encoding"]).toBeUndefined();
    const known = await ask(path, { "If-None-Match": (await ask(path)).headers.etag ?? "" });
    expect([known.status, known.body.length]).toEqual([304, 0]);
  });

  test("a new build is served without a restart", async () => {
    await serve();
    const before = (await ask("/")).headers.etag;
    writeFileSync(join(folder, "ui/index.html"), page.replace("</head>", "<meta name=new></head>"));
    const after = await ask("/");
    expect(after.body.toString()).toContain("name=new");
    expect(after.headers.etag).not.toBe(before);
  });
});

describe("below a base path", () => {
  test("the base leads to its folder, the page knows it, everything else is elsewhere [U06]", async () => {
    await serve({ basePath: "/openclaw" });
    const bare = await ask("/openclaw?x=1");
    expect([bare.status, bare.headers.location]).toEqual([302, "/openclaw/?x=1"]);
    const deep = await ask("/openclaw/chat");
    expect(isPage(deep)).toBe(true);
    expect(deep.body.toString()).toContain('<html data-base-path="/openclaw"');
    expect(deep.body.toString()).toContain('src="/openclaw/assets/app-AAAAAAAA.js"');
    for (const path of ["/", "/openclawx", "/chat", "/assets/app-AAAAAAAA.js"])
      expect((await ask(path)).status).toBe(404);
    expect((await ask("/openclaw/v1/nope")).status).toBe(200);
  });

  test.each([
    ["openclaw/", "/openclaw"],
    [" /a/b/ ", "/a/b"],
    ["/", ""],
    ["", ""],
  ])("%j means %j [U07]", async (given, normal) => {
    await serve();
    expect(normalBasePath(given)).toBe(normal);
  });

  test("a base path is text in the page, whatever it holds", async () => {
    await serve({ basePath: '/x"><script>alert(1)</script>' });
    const body = (await ask(encodeURI('/x"><script>alert(1)</script>/'))).body.toString();
    expect(body).not.toContain("<script>alert(1)");
  });
});

describe("what the page asks for", () => {
  test("without a build the answer says how to get one [U12]", async () => {
    await serve({ root: join(folder, "nowhere") });
    const { status, body } = await ask("/");
    expect(status).toBe(503);
    expect(body.toString()).toContain("npm run build");
  });

  test("switched off there is nothing [U13]", async () => {
    rig = await startRig({ parts: { routes: noControlUiRoutes() } });
    expect((await ask("/")).status).toBe(404);
    expect((await ask("/chat")).status).toBe(404);
  });

  test("the config goes to this machine and to whoever has the secret, as data [U14, U24]", async () => {
    await serve();
    const { status, headers, body } = await ask("/control-ui-config.json");
    expect([status, headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(JSON.parse(body.toString())).toEqual({
      basePath: "",
      assistantName: "</script><img src=x onerror=alert(1)>",
      assistantAvatar: "A",
      assistantAgentId: "main",
      serverVersion: "2026.11.0",
    });
    const remote = { "X-Forwarded-For": "203.0.113.9" };
    expect((await ask("/control-ui-config.json", remote)).status).toBe(401);
    expect((await ask("/control-ui-config.json", { ...remote, Authorization: `Bearer ${testToken}` })).status).toBe(
      200,
    );
  });

  test("avatars: metadata, a file, none, and ids that are none [U15, U16, U18]", async () => {
    const avatars: Record<string, Avatar> = {
      none: { url: null },
      remote: { url: "https://pictures.example/a.png" },
      drawn: {
        url: "/avatar/drawn",
        file: { bytes: Buffer.from("<svg></svg>"), type: "image/svg+xml; charset=utf-8" },
      },
    };
    await serve({ avatar: (agentId) => Promise.resolve(avatars[agentId]) });
    const meta = async (id: string) => JSON.parse((await ask(`/avatar/${id}?meta=1`)).body.toString()) as unknown;
    expect(await meta("none")).toEqual({ avatarUrl: null });
    expect(await meta("remote")).toEqual({ avatarUrl: "https://pictures.example/a.png" });
    expect(await meta("drawn")).toEqual({ avatarUrl: "/avatar/drawn" });
    expect((await ask("/avatar/drawn")).headers["content-security-policy"]).toContain("sandbox");
    for (const path of ["none", "remote", "unknown", "..%2fx", "a/b", "x".repeat(65), ""])
      expect((await ask(`/avatar/${path}`)).status).toBe(404);
  });
});
