import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { readA2uiLines } from "./a2ui-lines.ts";
import { canvasUrl } from "./canvas-url.ts";
import { Capabilities, capabilityMs } from "./capabilities.ts";
import { fileType } from "./file-types.ts";
import { openBelow } from "./open-file.ts";
import { withScript } from "./page-script.ts";
import { placeOf, readSegments } from "./paths.ts";
import { actionLine, readUserAction } from "./user-action.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "canvas-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["/__openclaw__/canvas", { surface: "canvas", rest: "" }],
  ["/__openclaw__/canvas/a/b.html", { surface: "canvas", rest: "/a/b.html" }],
  ["/__openclaw__/canvasx/a", { surface: "none" }],
  ["/__openclaw__/a2ui/", { surface: "a2ui", rest: "/" }],
  ["/__openclaw__/ws", { surface: "socket" }],
  ["/__openclaw__/wsx", { surface: "none" }],
  ["/__openclaw__/cap/abc/__openclaw__/canvas/x", { surface: "canvas", token: "abc", rest: "/x" }],
  ["/__openclaw__/cap/abc/tools/invoke", { surface: "none" }],
  ["/__openclaw__/cap/a%2fb/__openclaw__/canvas/x", { surface: "none" }],
])("%s is %j", (path, place) => expect(placeOf(path)).toMatchObject(place));

test.each([
  ["/a/b.html", ["a", "b.html"]],
  ["/a/", ["a", ""]],
  ["/a%20b", ["a b"]],
  ["/%zz", "bad"],
  ["/%00", "bad"],
  ["/..%5c..%5cetc", "bad"],
  ["/../x", "hidden"],
  ["/%2e%2e%2fx", "hidden"],
  ["/a/..%2f..%2fetc", "hidden"],
  ["//etc/passwd", "hidden"],
  ["/.git/config", "hidden"],
  [`/${"a".repeat(5_000)}`, "hidden"],
])("the path %s is read as %j", (rest, segments) => expect(readSegments(rest)).toEqual(segments));

test("%252e is decoded once and stays a name", () => expect(readSegments("/%252e%252e")).toEqual(["%2e%2e"]));

test("links in the last place and links that lead outside are not opened, other files are", async () => {
  const root = join(folder, "root");
  mkdirSync(join(root, "sub"), { recursive: true });
  mkdirSync(join(folder, "outside"));
  writeFileSync(join(folder, "outside", "secret.txt"), "secret");
  writeFileSync(join(root, "sub", "page.txt"), "page");
  symlinkSync(join(folder, "outside", "secret.txt"), join(root, "file-link.txt"));
  symlinkSync(join(root, "sub", "page.txt"), join(root, "inner-link.txt"));
  symlinkSync(join(folder, "outside"), join(root, "folder-link"));
  symlinkSync(join(root, "sub"), join(root, "inner-folder"));
  linkSync(join(folder, "outside", "secret.txt"), join(root, "hard.txt"));
  const open = async (...segments: string[]) => {
    const opened = await openBelow(root, segments);
    if (typeof opened === "string") return opened;
    return opened.handle.readFile("utf8").finally(() => opened.handle.close());
  };
  expect(await open("sub", "page.txt")).toBe("page");
  expect(await open("inner-folder", "page.txt")).toBe("page");
  expect(await open("hard.txt")).toBe("secret");
  expect(await open("file-link.txt")).toBe("missing");
  expect(await open("inner-link.txt")).toBe("missing");
  expect(await open("folder-link", "secret.txt")).toBe("missing");
  expect(await open("sub")).toBe("directory");
  expect(await open("none")).toBe("missing");
});

test("a name that is swapped for a link while it is opened never yields what lies outside", async () => {
  const root = join(folder, "swapped");
  mkdirSync(root);
  const outside = join(folder, "outside-swap.txt");
  writeFileSync(outside, "secret");
  writeFileSync(join(root, "good.txt"), "good");
  symlinkSync(outside, join(root, "bad.txt"));
  let running = true;
  const swapper = (async () => {
    while (running) {
      renameSync(join(root, "good.txt"), join(root, "x"));
      renameSync(join(root, "bad.txt"), join(root, "good.txt"));
      await new Promise<void>((resolve) => setImmediate(resolve));
      renameSync(join(root, "good.txt"), join(root, "bad.txt"));
      renameSync(join(root, "x"), join(root, "good.txt"));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  })();
  const seen = new Set<string>();
  for (let round = 0; round < 300; round++) {
    const opened = await openBelow(root, ["good.txt"]);
    if (typeof opened === "string") seen.add(opened);
    else seen.add(await opened.handle.readFile("utf8").finally(() => opened.handle.close()));
  }
  running = false;
  await swapper;
  expect([...seen].filter((one) => one !== "good" && one !== "missing")).toEqual([]);
});

test("the script goes before the last end of the body, whatever its case, else to the end", () => {
  expect(withScript("<body>a</body><pre></BODY></pre>", "!")).toBe("<body>a</body><pre>!</BODY></pre>");
  expect(withScript("<p>a", "!")).toBe("<p>a!");
});

test("types follow the extension, then the first bytes", () => {
  expect(fileType("a.CSS", Buffer.alloc(0))).toBe("text/css; charset=utf-8");
  expect(fileType("picture", Buffer.from("89504e470d0a1a0a", "hex"))).toBe("image/png");
  expect(fileType("a.constructor", Buffer.alloc(0))).toBe("application/octet-stream");
});

test("a capability opens for its connection, slides, and ends with time or connection", () => {
  const world = fakeWorld();
  let seed = 0;
  const capabilities = new Capabilities({
    monotonic: world.monotonic,
    randomBytes: (size) => Buffer.alloc(size, ++seed),
  });
  const holder = { connId: "c1", host: "iPad", instanceId: "i1" };
  const first = capabilities.mint(holder);
  expect(capabilities.use(first)).toEqual(holder);
  expect(capabilities.use("nonsense")).toBeUndefined();
  const second = capabilities.mint(holder);
  expect(capabilities.use(first)).toBeUndefined();
  expect(capabilities.use(second)).toEqual(holder);
  capabilities.revoke("c1");
  expect(capabilities.use(second)).toBeUndefined();
});

test("a capability that nobody uses ends after ten minutes, one in use does not", async () => {
  const world = fakeWorld();
  const capabilities = new Capabilities(world);
  const token = capabilities.mint({ connId: "c1", host: "h", instanceId: "i" });
  await world.clock.advance(capabilityMs - 1);
  expect(capabilities.use(token)).toBeDefined();
  await world.clock.advance(capabilityMs - 1);
  expect(capabilities.use(token)).toBeDefined();
  await world.clock.advance(capabilityMs + 1);
  expect(capabilities.use(token)).toBeUndefined();
});

test.each([
  [{ bindHost: "127.0.0.1", hostHeader: "localhost:1", peerIsLocal: true }, "http://localhost:18793"],
  [{ bindHost: "0.0.0.0", hostHeader: "box.lan:18789", peerIsLocal: false }, "http://box.lan:18793"],
  [{ bindHost: "0.0.0.0", hostHeader: "127.0.0.1:18789", peerIsLocal: false }, undefined],
  [{ bindHost: "192.168.1.5", hostHeader: "anything", peerIsLocal: false }, "http://192.168.1.5:18793"],
  [{ bindHost: "::", hostHeader: "[fe80::1]:18789", peerIsLocal: false }, "http://[fe80::1]:18793"],
  [{ bindHost: "0.0.0.0", hostHeader: "evil/path", peerIsLocal: false }, undefined],
])("the address for %j is %s", (parts, url) => expect(canvasUrl({ ...parts, port: 18_793, secure: false })).toBe(url));

test("over TLS the address says so", () =>
  expect(canvasUrl({ bindHost: "::", hostHeader: "box.lan:1", peerIsLocal: false, port: 2, secure: true })).toBe(
    "https://box.lan:2",
  ));

test("an action is one line in which no value can pass for a field", () => {
  const action = readUserAction({
    userAction: { id: " a1 ", name: "buy now\nsession=x", context: { qty: 2 }, sourceComponentId: "b=1" },
  });
  expect(action).toMatchObject({ id: "a1", surfaceId: "main" });
  expect(action && actionLine(action, { sessionKey: "agent:main:main", host: "Ann's iPad", instanceId: "" })).toBe(
    'CANVAS_A2UI action=buy_now_session_x session=agent:main:main surface=main component=b_1 host=Ann_s_iPad instance=- ctx={"qty":2} default=update_canvas',
  );
  for (const body of [{}, [], null, { userAction: {} }, { userAction: { name: " " } }, { userAction: [1] }])
    expect(readUserAction(body)).toBeUndefined();
});

test("lines of A2UI are judged one by one, and every problem names its line", () => {
  const good = '{"beginRendering":{"surfaceId":"m","root":"r"}}';
  expect(readA2uiLines(`${good}\n\n${good}\n`)).toMatchObject({ ok: true, messages: [{}, {}] });
  const bad = [
    good,
    "nonsense",
    '{"createSurface":{"surfaceId":"m"}}',
    '{"beginRendering":{"surfaceId":"m","root":"r"},"deleteSurface":{"surfaceId":"m"}}',
    '{"surfaceUpdate":{"surfaceId":"m","components":[]}}',
    '{"surfaceUpdate":{"surfaceId":"m","components":[{"id":"a","component":{"Text":{},"Row":{}}}]}}',
    '{"constructor":{"surfaceId":"m"}}',
    '{"deleteSurface":{}}',
    "[]",
  ].join("\n");
  const judged = readA2uiLines(bad);
  expect(judged.ok ? [] : judged.problems.map((problem) => problem.slice(0, 6))).toEqual(
    [2, 3, 4, 5, 6, 7, 8, 9].map((line) => `line ${line}`),
  );
  expect(judged.ok ? "" : judged.problems[1]).toContain("v0.9, which is not supported");
  expect(readA2uiLines(" \n")).toEqual({ ok: false, problems: ["no message"] });
  expect(readA2uiLines("x".repeat(300_000)).ok).toBe(false);
});
