import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { HttpRoute } from "../kernel/http.ts";
import { silentLogger } from "../kernel/log.ts";
import { systemWorld } from "../kernel/world.ts";
import { BodyBudget } from "./http-body.ts";
import { RoutedCall } from "./http-call.ts";

const caller = { ip: "127.0.0.1", localDirect: true, authenticated: true };
const route: HttpRoute = { methods: ["POST"], path: "/x", dialect: "text", maxBytes: 64, handle: () => undefined };
const post = (body: string, bytes = body.length) =>
  `POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n${body}`;

let server: Server | undefined;
let client: Socket | undefined;
afterEach(async () => {
  client?.destroy();
  server?.close();
  if (server?.listening) await once(server, "close");
});

/** Requests whose body is `hold` are not answered. */
async function open() {
  const bodies = new BodyBudget();
  const calls: RoutedCall[] = [];
  let read = 0;
  server = createServer((req, res) => {
    const world = systemWorld();
    const call = new RoutedCall(req, res, { id: "i", path: "/x", caller, route, world, log: silentLogger, bodies });
    calls.push(call);
    call.bytes().then(
      (body) => {
        read++;
        if (String(body) !== "hold") call.reply({ text: "ok" });
      },
      () => call.reply({ status: 400, text: "no" }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = connect((server.address() as AddressInfo).port, "127.0.0.1").resume();
  return { bodies, calls, client, read: () => read };
}

test("what a body takes is given back when its connection goes on to the next request", async () => {
  const { bodies, client, read } = await open();
  for (let n = 1; n <= 3; n++) {
    client.write(post("hello"));
    await expect.poll(read).toBe(n);
    await expect.poll(() => bodies.held).toBe(0);
  }
});

test("what a body takes is given back when the client leaves: half sent, unanswered, or behind another request", async () => {
  const { bodies, calls, client, read } = await open();
  client.write(post("hold") + post("hold") + post("half", 10));
  await expect.poll(read).toBe(2);
  await expect.poll(() => bodies.held).toBe(12);
  client.destroy();
  await expect.poll(() => bodies.held).toBe(0);
  expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
});
