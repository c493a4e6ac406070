/** The reload socket of the canvas through a real gateway: changes, limits, pages in the sandbox, broken frames, and its absence
 *  (canvas-browser-nodes.md §2.2, §2.8, §3.2, V08-V10). */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGateway } from "../support/gateway.ts";
import { ask, folderOf, listen, start } from "./canvas-rig.ts";

describe("one gateway", () => {
  let gateway: TestGateway;
  let canvas: number;
  let root: string;
  beforeAll(async () => {
    ({ gateway, canvas } = await start());
    root = folderOf(gateway);
  });
  afterAll(() => gateway.stop());

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
      /** Until nothing more is heard of what was done before. */
      const quiet = async () => {
        for (let known = -1; known !== heard.length;) {
          known = heard.length;
          await new Promise<void>((resolve) => setTimeout(resolve, 200));
        }
      };
      await next(1);
      await probing;
      await quiet();
      const before = heard.length;
      writeFileSync(join(root, ".secret"), "x");
      mkdirSync(join(root, "node_modules"), { recursive: true });
      writeFileSync(join(root, "node_modules", "x.js"), "x");
      await quiet();
      expect(heard.length).toBe(before);
      for (let n = 0; n < 10; n++) writeFileSync(join(root, "probe.txt"), `quick ${n}`);
      await next(before + 1);
      await quiet();
      expect(heard.length - before).toBeLessThanOrEqual(2);
      const folder = join(root, `new-${port}`);
      const times: number[] = [];
      for (const change of [
        () => mkdirSync(folder),
        () => writeFileSync(join(folder, "page.txt"), "x"),
        () => rmSync(join(folder, "page.txt")),
        () => rmSync(folder, { recursive: true }),
      ]) {
        const made = heard.length;
        const startedAt = performance.now();
        change();
        await next(made + 1);
        times.push(performance.now() - startedAt);
        await quiet();
      }
      // A busy machine may be late; one that is not tells within half a second.
      expect(Math.min(...times)).toBeLessThan(500);
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

  test("S29 a page in the sandbox of the main port may wait for its reload: it knows what only a page is told", async () => {
    const { body } = await ask(gateway.port, "/__openclaw__/canvas/");
    const [, ticket] = /ws\?page=([0-9a-f]+)/u.exec(body) ?? [];
    const url = `ws://127.0.0.1:${gateway.port}/__openclaw__/ws?page=`;
    const right = listen(url + ticket, { origin: "null" });
    expect(await right.opened).toBe(101);
    right.socket.terminate();
    expect(await listen(`${url}00`, { origin: "null" }).opened).toBe(403);
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
  const { gateway, canvas } = await start({}, { liveReload: false });
  try {
    for (const port of [gateway.port, canvas]) {
      expect((await ask(port, "/__openclaw__/ws")).status).toBe(404);
      expect(await listen(`ws://127.0.0.1:${port}/__openclaw__/ws`).opened).toBe(404);
      const { body } = await ask(port, "/__openclaw__/canvas/");
      expect(body).toContain("openclawSendUserAction");
      expect(body).not.toContain("new WebSocket");
    }
  } finally {
    await gateway.stop();
  }
});
