import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { createLogger } from "../../kernel/log.ts";
import { CanvasHost } from "./canvas-host.ts";
import { FolderWatch, watchLimits } from "./folder-watch.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "canvas-host-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(root: string, a2uiDir?: string) {
  const lines: string[] = [];
  const log = createLogger({ subsystem: "canvas", now: () => 0, sinks: [({ message }) => void lines.push(message)] });
  const host = new CanvasHost({
    world: fakeWorld(),
    log,
    root,
    a2uiDir,
    liveReload: true,
    judge: () => ({ host: "ok", originAllowed: true, localDirect: true, authenticated: () => false }),
    action: async () => {},
  });
  await host.start();
  const server: Server = createServer((req, res) => void host.request(req, res, req.url ?? "/", true));
  server.on("upgrade", (req, socket, head) => host.upgrade(req, socket, head, req.url ?? "/"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    host.stop();
    host.destroy();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/__openclaw__`, port, lines, host };
}

/** Opens the reload socket by hand. */
const open = (port: number) =>
  new Promise<string>((resolve) => {
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(
        `GET /__openclaw__/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      ),
    );
    socket.on("data", (part) => resolve(String(part)));
    socket.on("error", () => resolve(""));
    closing.unshift(() => socket.destroy());
  });

test("V16 without its script the A2UI page says so, with it it is served with the bridge", async () => {
  const root = join(folder, "one");
  const { url } = await serve(root);
  const missing = await fetch(`${url}/a2ui/`);
  expect([missing.status, await missing.text()]).toEqual([503, "A2UI assets not found"]);
  const built = join(folder, "a2ui");
  mkdirSync(built);
  writeFileSync(join(built, "index.html"), "<body></body>");
  const { url: there } = await serve(root, built);
  expect(await (await fetch(`${there}/a2ui/`)).text()).toContain("openclawSendUserAction");
});

test("a folder that cannot be made is a warning, and its pages are not found", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const { url, lines } = await serve(join(file, "canvas"));
  expect(lines).toEqual([expect.stringContaining("cannot be written")]);
  expect((await fetch(`${url}/canvas/`)).status).toBe(404);
});

test("R-CANV-1 a folder too large to watch is one line of the log, and serving goes on", async () => {
  const root = join(folder, "large");
  for (let n = 0; n <= watchLimits.directories; n++) mkdirSync(join(root, `d${n}`), { recursive: true });
  const { url, port, lines } = await serve(root);
  expect(await open(port)).toMatch(/^HTTP\/1\.1 101 /u);
  await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 5_000, interval: 5 });
  expect(lines[0]).toContain("canvasHost.liveReload=false");
  expect(await open(port)).toMatch(/^HTTP\/1\.1 101 /u);
  expect((await fetch(`${url}/canvas/`)).status).toBe(200);
  expect(lines).toHaveLength(1);
});

test("many changes at once are one, and what follows the quiet time is another", async () => {
  const root = join(folder, "quick");
  mkdirSync(root);
  const world = fakeWorld();
  let changes = 0;
  let noticed = 0;
  const watching = new FolderWatch({
    root,
    world: {
      ...world,
      after: (ms, run) => {
        noticed += 1;
        return world.after(ms, run);
      },
    },
    changed: () => void (changes += 1),
    failed: () => {},
  });
  closing.push(() => watching.stop());
  await watching.start();
  const write = async (name: string) => {
    const before = noticed;
    writeFileSync(join(root, name), name);
    await vi.waitFor(() => expect(noticed).toBeGreaterThan(before), { timeout: 5_000, interval: 2 });
  };
  for (const name of ["a", "b", "c"]) await write(name);
  expect(changes).toBe(0);
  await world.clock.advance(watchLimits.settleMs);
  expect(changes).toBe(1);
  await write("d");
  await world.clock.advance(watchLimits.settleMs);
  expect(changes).toBe(2);
});
