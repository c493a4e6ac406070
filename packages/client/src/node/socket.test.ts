import { createServer } from "node:net";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { encodeFrame, FrameError, FrameReader } from "./frames.ts";
import { nodeSocket } from "./socket.ts";
import type { NodeSocketOptions } from "./socket.ts";
import type { Socket } from "../socket.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function server(
  onPeer: (peer: WebSocket, headers: Record<string, unknown>) => void,
  options = {},
): Promise<string> {
  const made = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload: 64 * 1024 * 1024, ...options });
  made.on("connection", (peer, request) => {
    peer.on("error", () => {});
    onPeer(peer, request.headers);
  });
  await new Promise<void>((resolve) => void made.once("listening", resolve));
  cleanups.push(() => {
    for (const peer of made.clients) peer.terminate();
    return new Promise<void>((resolve) => made.close(() => resolve()));
  });
  return `ws://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

async function rawServer(onSocket: (socket: TcpSocket) => void): Promise<string> {
  const made = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    cleanups.push(() => socket.destroy());
    onSocket(socket);
  });
  await new Promise<void>((resolve) => void made.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise<void>((resolve) => void made.close(() => resolve())));
  return `ws://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

interface Opened {
  socket: Socket;
  messages: string[];
  opened: Promise<void>;
  next(): Promise<string>;
  closed: Promise<{ code: number; reason: string; error: Error | undefined }>;
}

function open(url: string, options: NodeSocketOptions = {}): Opened {
  const messages: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  let isOpen: () => void = () => {};
  let isClosed: (end: { code: number; reason: string; error: Error | undefined }) => void = () => {};
  const opened = new Promise<void>((resolve) => (isOpen = resolve));
  const closed = new Promise<{ code: number; reason: string; error: Error | undefined }>(
    (resolve) => (isClosed = resolve),
  );
  const socket = nodeSocket(
    url,
    {
      open: () => isOpen(),
      message(text) {
        const taker = waiting.shift();
        if (taker) taker(text);
        else messages.push(text);
      },
      close: (code, reason, error) => isClosed({ code, reason, error }),
    },
    options,
  );
  cleanups.push(() => socket.close(1000, ""));
  const next = () => {
    const ready = messages.shift();
    return ready === undefined ? new Promise<string>((resolve) => waiting.push(resolve)) : Promise.resolve(ready);
  };
  return { socket, messages, opened, next, closed };
}

describe("against a real server", () => {
  test("texts of every length class come back whole", async () => {
    const url = await server((peer) => peer.on("message", (data) => peer.send(String(data))));
    const { socket, opened, next } = open(url);
    await opened;
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
      const text = "é".repeat(size);
      socket.send(text);
      expect(await next()).toBe(text);
    }
  });

  test("a message of 24 MiB passes, one over the limit closes with 1009", async () => {
    const big = "x".repeat(24 * 1024 * 1024);
    const url = await server((peer) =>
      peer.on("message", (data) => peer.send(Number(String(data)) > 25 ? `${big}${big}` : big)),
    );
    const { socket, opened, next, closed } = open(url);
    await opened;
    socket.send("24");
    expect((await next()).length).toBe(big.length);
    socket.send("48");
    expect((await closed).code).toBe(1009);
  });

  test("fragments with a ping between them are one message", async () => {
    const pongs: string[] = [];
    const url = await server((peer) => {
      peer.on("pong", (data) => pongs.push(String(data)));
      peer.on("message", () => peer.send("after"));
      peer.send("Hel", { fin: false });
      peer.ping("p");
      peer.send("lo", { fin: false });
      peer.send("!", { fin: true });
    });
    const { socket, next } = open(url);
    expect(await next()).toBe("Hello!");
    socket.send("x");
    expect(await next()).toBe("after");
    expect(pongs).toEqual(["p"]);
  });

  test("binary frames are read as UTF-8", async () => {
    const url = await server((peer) => peer.send(Buffer.from("bin ✓")));
    expect(await open(url).next()).toBe("bin ✓");
  });

  test("headers are sent, and the last message before a close is delivered", async () => {
    const url = await server((peer, headers) => {
      peer.send(String(headers["x-test"]));
      peer.close(1012, "service restart");
    });
    const { next, closed } = open(url, { headers: { "X-Test": "yes" } });
    expect(await next()).toBe("yes");
    expect(await closed).toMatchObject({ code: 1012, reason: "service restart", error: undefined });
  });

  test("our own close reaches the server with code and reason", async () => {
    let seen: (end: [number, string]) => void = () => {};
    const atServer = new Promise<[number, string]>((resolve) => (seen = resolve));
    const url = await server((peer) => peer.on("close", (code, reason) => seen([code, String(reason)])));
    const { socket, opened, closed } = open(url);
    await opened;
    socket.close(4000, "tick timeout");
    socket.close(1000, "again");
    expect(await atServer).toEqual([4000, "tick timeout"]);
    expect(await closed).toMatchObject({ code: 4000 });
  });

  test("a socket torn down without a close frame ends with 1006", async () => {
    const url = await server((peer) => peer.terminate());
    expect(await open(url).closed).toMatchObject({ code: 1006, reason: "" });
  });

  test("a peer that does not read shows in bufferedBytes", async () => {
    const url = await server((peer) => peer.pause());
    const { socket, opened } = open(url);
    await opened;
    for (let i = 0; i < 20; i += 1) socket.send("x".repeat(1024 * 1024));
    expect(socket.bufferedBytes).toBeGreaterThan(1024 * 1024);
  });
});

describe("bad partners", () => {
  test("nobody listening is told with the cause", async () => {
    const { closed } = open("ws://127.0.0.1:1");
    const { code, error } = await closed;
    expect(code).toBe(1006);
    expect(error?.message).toMatch(/ECONNREFUSED/);
  });

  test.each(["http://127.0.0.1", "nonsense", ""])("the address %j is refused", async (url) => {
    expect((await open(url).closed).error?.message).toMatch(/ws:\/\//);
  });

  test.each([
    ["HTTP/1.1 429 Too Many Requests\r\n\r\n", /HTTP 429/],
    ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n", /not confirmed/],
    ["SSH-2.0-OpenSSH\r\n\r\n", /not HTTP/],
    ["HTTP/1.1 101 X\r\nA: ".padEnd(20_000, "a"), /no end/],
  ])("an answer that is no upgrade is not taken for a gateway (%#)", async (answer, message) => {
    const url = await rawServer((socket) => socket.write(answer));
    const { code, error } = await open(url).closed;
    expect(code).toBe(1006);
    expect(error?.message).toMatch(message);
  });

  test("a header with a line break is refused", async () => {
    const url = await server(() => {});
    expect((await open(url, { headers: { "X-A": "b\r\nC: d" } }).closed).error?.message).toMatch(/line break/);
  });
});

describe("frame reader", () => {
  const frame = (first: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([first, payload.length]), payload]);
  const read = (bytes: Buffer, piece: number): unknown[] => {
    const seen: unknown[] = [];
    const reader = new FrameReader(1000, {
      message: (text) => seen.push(text),
      ping: (payload) => seen.push(["ping", String(payload)]),
      close: (code, reason) => seen.push([code, reason]),
    });
    try {
      for (let i = 0; i < bytes.length; i += piece) reader.push(bytes.subarray(i, i + piece));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      seen.push(error.code);
    }
    return seen;
  };

  test("every cut of the byte stream gives the same messages", () => {
    const stream = Buffer.concat([
      frame(0x01, Buffer.from("a")),
      frame(0x89, Buffer.from("p")),
      frame(0x80, Buffer.from("b")),
      Buffer.concat([Buffer.from([0x81, 126, 0, 200]), Buffer.alloc(200, "z")]),
      frame(0x88, Buffer.from([0x03, 0xe8])),
    ]);
    for (let piece = 1; piece <= stream.length; piece += 1) {
      expect(read(stream, piece)).toEqual([["ping", "p"], "ab", "z".repeat(200), [1000, ""]]);
    }
  });

  test.each([
    ["masked", Buffer.from([0x81, 0x80, 0, 0, 0, 0]), 1002],
    ["reserved bits", frame(0xc1, Buffer.from("a")), 1002],
    ["unknown opcode", frame(0x83, Buffer.from("a")), 1002],
    ["unknown control", frame(0x8b, Buffer.alloc(0)), 1002],
    ["fragmented ping", frame(0x09, Buffer.alloc(0)), 1002],
    ["long ping", Buffer.from([0x89, 126, 0, 200]), 1002],
    ["continuation first", frame(0x80, Buffer.from("a")), 1002],
    ["text inside text", Buffer.concat([frame(0x01, Buffer.from("a")), frame(0x81, Buffer.from("b"))]), 1002],
    ["not UTF-8", frame(0x81, Buffer.from([0xff])), 1007],
    ["one-byte close", frame(0x88, Buffer.from([3])), 1002],
    ["illegal close code", frame(0x88, Buffer.from([0x03, 0xee])), 1002],
    ["too large", Buffer.from([0x81, 126, 0x10, 0]), 1009],
    ["absurd length", Buffer.from([0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255]), 1009],
  ])("%s is refused", (_, bytes, code) => {
    expect(read(bytes, bytes.length)).toEqual([code]);
  });

  test("random bytes never do worse than a refusal", () => {
    let seed = 1234567;
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)));
      expect(() => read(bytes, 1 + Math.floor(random() * 9))).not.toThrow();
    }
  });

  test("what is encoded is masked and reads back", () => {
    const mask = Buffer.from([1, 2, 3, 4]);
    const encoded = encodeFrame(1, Buffer.from("Hello"), mask);
    expect(encoded[1]).toBe(0x80 | 5);
    const unmasked = Array.from(encoded.subarray(6), (byte, i) => byte ^ (mask[i & 3] ?? 0));
    expect(String.fromCharCode(...unmasked)).toBe("Hello");
  });
});
