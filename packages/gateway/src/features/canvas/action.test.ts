import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { GatewayError } from "@openclaw/protocol";
import { afterEach, expect, test } from "vitest";
import { type ActionPort, answerAction } from "./action.http.ts";

const holder = { connId: "c", host: "phone", instanceId: "i" };
let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  if (server) await once(server, "close");
});

async function serve(port: ActionPort): Promise<{ url: string; answered: Promise<unknown>[]; port: number }> {
  const answered: Promise<unknown>[] = [];
  server = createServer((req, res) => void answered.push(answerAction(req, res, holder, port)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: bound } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${bound}/`, answered, port: bound };
}

const post = (url: string, body: string) =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
const press = JSON.stringify({ userAction: { name: "press" } });

test("a page hears why nobody takes its action when that was said for people, and no more", async () => {
  let thrown: Error = new GatewayError("unavailable", "Too many runs are waiting.");
  const { url } = await serve(() => Promise.reject(thrown));
  const first = await post(url, press);
  expect([first.status, await first.text()]).toEqual([503, "Too many runs are waiting."]);
  thrown = new Error("SQLITE_IOERR at /home/ann/.openclaw/openclaw.db");
  const second = await post(url, press);
  expect([second.status, await second.text()]).toEqual([503, "not taken"]);
});

test("a body that is too large is answered, one that never ends is let go with its client", async () => {
  const { url, answered, port } = await serve(async () => {});
  expect((await post(url, press)).status).toBe(200);
  expect((await post(url, "x".repeat(65 * 1024))).status).toBe(413);
  const socket = connect(port, "127.0.0.1", () =>
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
  );
  await expect.poll(() => answered.length).toBe(3);
  socket.destroy();
  expect(await Promise.all(answered)).toEqual([undefined, undefined, undefined]);
});
