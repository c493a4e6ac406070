/** The script that every page of the canvas gets, run as the page would run it: the bridge to the app around it, and the reload
 *  through a real gateway (canvas-browser-nodes.md §3). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ask, folderOf, start, type Started } from "./canvas-rig.ts";
import { until } from "./http-client.ts";

let started: Started;
beforeAll(async () => {
  started = await start();
});
afterAll(() => started.gateway.stop());

interface PageWindow {
  OpenClaw: { postMessage(payload: unknown): boolean; sendUserAction(action: unknown): boolean };
  openclawPostMessage: (payload: unknown) => boolean;
  openclawSendUserAction: (action: unknown) => boolean;
  [name: string]: unknown;
}

/** Loads a page at `path` and runs its script in a window of its own; `around` is what an app puts there. */
async function open(path: string, around: Record<string, unknown> = {}, origin = `127.0.0.1:${started.canvas}`) {
  const [host = "", port = ""] = origin.split(":");
  const { body } = await ask(Number(port), path);
  const [, script = ""] = /<script>([\s\S]*)<\/script>/u.exec(body.slice(body.lastIndexOf("<script>"))) ?? [];
  const seen = { reloads: 0, sockets: [] as WebSocket[], addresses: [] as string[], waits: [] as number[] };
  const window: PageWindow = {
    ...around,
    location: { pathname: path, host: `${host}:${port}`, protocol: "http:", reload: () => (seen.reloads += 1) },
    crypto: globalThis.crypto,
    WebSocket: class extends WebSocket {
      constructor(address: string) {
        super(address);
        this.on("error", () => {});
        seen.sockets.push(this);
        seen.addresses.push(address);
      }
    },
    setTimeout: (run: () => void, ms: number) => {
      seen.waits.push(ms);
      setImmediate(run);
    },
  } as unknown as PageWindow;
  window["window"] = window;
  const context = createContext(window);
  runInContext(script, context);
  const close = () => {
    window["setTimeout"] = () => {};
    for (const socket of seen.sockets) socket.terminate();
  };
  return { window, seen, close };
}
const page = "/__openclaw__/canvas/";

test("3.1: an action goes to Apple's handler first, then to Android's, as text, and whether one took it is told", async () => {
  const got: string[] = [];
  const handler = (name: string) => ({
    postMessage: (text: unknown) => void got.push(`${name} ${typeof text} ${String(text)}`),
  });
  const apple = { webkit: { messageHandlers: { openclawCanvasA2UIAction: handler("apple") } } };
  const android = { openclawCanvasA2UIAction: handler("android") };
  for (const [around, name] of [
    [{ ...apple, ...android }, "apple"],
    [android, "android"],
  ] as const) {
    const { window, close } = await open(page, around);
    expect(window.OpenClaw.sendUserAction({ id: " a1 ", name: "hello" })).toBe(true);
    expect(window.openclawPostMessage({ any: 1 })).toBe(true);
    expect(got.splice(0)).toEqual([
      `${name} string {"userAction":{"id":"a1","name":"hello"}}`,
      `${name} string {"any":1}`,
    ]);
    expect(window.openclawSendUserAction({ name: "time" })).toBe(true);
    const sent = JSON.parse(got.splice(0)[0]?.slice(name.length + 8) ?? "") as { userAction: { id: string } };
    expect(sent.userAction.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/u);
    close();
  }
  const { window, close } = await open(page);
  expect([window.OpenClaw.sendUserAction({ name: "x" }), window.openclawPostMessage({})]).toEqual([false, false]);
  expect(window.OpenClaw.postMessage).toBe(window.openclawPostMessage);
  close();
});

test("3.2: a page reloads when a file changes, keeps its own address, and comes back by itself, later each time", async () => {
  const plain = await open(page);
  await until("the socket is open", () => plain.seen.sockets[0]?.readyState === WebSocket.OPEN);
  expect(plain.seen.addresses[0]).toMatch(
    new RegExp(`^ws://127\\.0\\.0\\.1:${started.canvas}/__openclaw__/ws\\?page=[0-9a-f]+$`, "u"),
  );
  const root = folderOf(started.gateway);
  for (let round = 0; plain.seen.reloads === 0 && round < 50; round++) {
    writeFileSync(join(root, "changed.txt"), String(round));
    await new Promise<void>((resolve) => setTimeout(resolve, 100));
  }
  expect(plain.seen.reloads).toBeGreaterThan(0);
  plain.seen.sockets[0]?.terminate();
  await until(
    "it is there again",
    () => plain.seen.sockets.at(-1)?.readyState === WebSocket.OPEN && plain.seen.sockets.length > 1,
  );
  expect(plain.seen.waits[0]).toBe(500);
  plain.close();
  const node = await started.gateway.connect({
    role: "node",
    client: { id: "openclaw-ios", mode: "node", instanceId: "i" },
  });
  const base = new URL(String(node.hello["canvasHostUrl"])).pathname;
  const own = await open(`${base}${page}`);
  expect(own.seen.addresses[0]).toContain(`:${started.canvas}${base}/__openclaw__/ws?page=`);
  own.close();
  await node.close();
});

test("3.3: a page at a device's own address tells the gateway, and hears on the window how it went", async () => {
  const node = await started.gateway.connect({
    role: "node",
    client: { id: "openclaw-ios", mode: "node", instanceId: "j" },
  });
  const base = new URL(String(node.hello["canvasHostUrl"])).pathname;
  const heard: { type: string; detail: { id: string; ok: boolean; error?: string } }[] = [];
  const { window, close } = await open(`${base}${page}`, {
    fetch: (path: string, init: RequestInit) => fetch(`http://127.0.0.1:${started.canvas}${path}`, init),
    CustomEvent: class {
      readonly type: string;
      readonly detail: unknown;
      constructor(type: string, { detail }: { detail: unknown }) {
        this.type = type;
        this.detail = detail;
      }
    },
    dispatchEvent: (event: (typeof heard)[number]) => void heard.push(event),
  });
  expect(window.OpenClaw.sendUserAction({ id: "ok-1", name: "hello" })).toBe(true);
  await until("it was taken", () => heard.length === 1);
  expect(window.OpenClaw.sendUserAction({ id: "bad-1", name: " " })).toBe(true);
  await until("it was refused", () => heard.length === 2);
  expect(heard.map(({ type, detail }) => [type, detail.id, detail.ok, detail.error !== undefined])).toEqual([
    ["openclaw:a2ui-action-status", "ok-1", true, false],
    ["openclaw:a2ui-action-status", "bad-1", false, true],
  ]);
  close();
  await node.close();
});
