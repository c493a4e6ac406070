import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { eventStreamLimits, HttpEventStream } from "./event-stream.ts";

let server: Server;
let socket: Socket;
afterEach(async () => {
  socket.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

async function open() {
  const world = fakeWorld();
  const opened = Promise.withResolvers<{ stream: HttpEventStream; gone: Promise<unknown> }>();
  server = createServer((_, res) =>
    opened.resolve({ stream: new HttpEventStream(res, world), gone: once(res, "close") }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return { world, ...(await opened.promise) };
}

test("headers go out at once, an event is one chunk, silence is filled with comments", async () => {
  const { world, stream } = await open();
  const parts: string[] = [];
  socket.setEncoding("utf8").on("data", (part: string) => parts.push(part));
  await once(socket, "data");
  expect(parts.join("")).toContain("text/event-stream");
  stream.send('{"a":1}', "thing");
  await once(socket, "data");
  expect(parts.at(-1)).toContain('event: thing\ndata: {"a":1}\n\n');
  await world.clock.advance(eventStreamLimits.pingAfterMs);
  await once(socket, "data");
  expect(parts.at(-1)).toContain(": ping\n\n");
  stream.end();
  stream.send("late");
  expect(stream.open).toBe(false);
  while (!parts.join("").endsWith("0\r\n\r\n")) await once(socket, "data");
  expect(parts.join("")).not.toContain("late");
});

test("a client that does not read is dropped once its buffer is full", async () => {
  const { stream, gone } = await open();
  socket.pause();
  const event = "x".repeat(256 * 1024);
  let sent = 0;
  for (; stream.open && sent < 400; sent++) {
    stream.send(event);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await gone;
  // What the system's own buffers took, and ours.
  expect(sent * event.length).toBeLessThan(64 * 1024 * 1024);
});

test("a client that reads gets events that are larger than the buffer, several at once", async () => {
  const { stream } = await open();
  let bytes = 0;
  socket.on("data", (part: Buffer) => (bytes += part.length));
  const event = "x".repeat(eventStreamLimits.maxBufferedBytes + 1);
  stream.send(event);
  stream.send(event);
  while (bytes < 2 * event.length) await once(socket, "data");
  stream.send("{}");
  expect(stream.open).toBe(true);
  let sent = 0;
  for (; stream.open; sent++) stream.send(event);
  expect([4, 5]).toContain(sent);
});

test("a client that never reads the end is not waited for beyond the flush", async () => {
  const { world, stream, gone } = await open();
  socket.pause();
  for (let index = 0; index < 24; index++) stream.send("x".repeat(256 * 1024));
  stream.end();
  await world.clock.advance(eventStreamLimits.flushMs);
  await gone;
});
