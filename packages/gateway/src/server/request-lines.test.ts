/** lifecycle.md §8.4: what the log says of requests and sockets without `--verbose`, and the line per request with it. */
import { afterEach, expect, test, vi } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { GatewayError } from "@openclaw/protocol";
import { connectParams, startRig, type Rig } from "./server.fixture.ts";

let rig: Rig;
afterEach(() => rig.close());
const said = () => rig.lines.map(({ level, message }) => `${level} ${message}`);
const requestLines = () => said().filter((line) => line.includes("⇄"));
const short = /conn=[0-9a-f]{8}…[0-9a-f]{4} id=/u;

test("lifecycle 8.4: without --verbose only failed and slow calls leave a line", async () => {
  const world = fakeWorld();
  rig = await startRig({
    world,
    handlers: {
      status: async () => {
        await world.clock.advance(50);
        return {};
      },
      "last-heartbeat": () => {
        throw new GatewayError("unavailable", "x".repeat(500));
      },
    },
  });
  const client = await rig.hello();
  await client.request("health");
  expect(requestLines()).toEqual([]);
  await client.request("status");
  await client.request("last-heartbeat");
  const [slow = "", failed = ""] = requestLines();
  expect(slow).toMatch(/^info ⇄ res ✓ status 50ms conn=/u);
  expect(failed).toMatch(/^warn ⇄ res ✗ last-heartbeat \d+ms conn=/u);
  expect(failed.match(/x+$/u)?.[0]).toHaveLength(240);
  for (const line of [slow, failed]) expect(line).toMatch(short);
});

test("lifecycle 8.4: with --verbose every call leaves one line, ids cut in the middle", async () => {
  rig = await startRig({ settings: { verbose: true } });
  const client = await rig.hello();
  await client.request("health");
  expect(requestLines().map((line) => line.split(" ").slice(0, 5).join(" "))).toEqual(["debug ⇄ res ✓ health"]);
  expect(requestLines()[0]).toMatch(short);
});

test("lifecycle 8.4: text that is no JSON, a refused handshake and a socket that leaves before connect are named", async () => {
  rig = await startRig();
  const open = await rig.hello();
  open.ws.send("{ half");
  await open.closed;
  const refused = await rig.connect();
  await refused.challenge();
  refused.send({ type: "req", id: "1", method: "connect", params: connectParams({ auth: { token: "wrong" } }) });
  await refused.closed;
  const silent = await rig.connect();
  await silent.challenge();
  silent.ws.close(1000, "changed my mind");
  await vi.waitFor(() => expect(said().filter((line) => line.includes("reason=changed my mind"))).toHaveLength(1));
  const lines = said().join("\n");
  expect(lines).toMatch(/^warn parse error conn=[\w-]{36}: not JSON$/mu);
  expect(lines).toMatch(
    /^warn unauthorized conn=[\w-]{36} remote=127\.0\.0\.1 client=cli\/cli\/1\.0\.0 reason=token_mismatch$/mu,
  );
  expect(lines).toMatch(
    /^info closed before connect conn=[\w-]{36} remote=127\.0\.0\.1 code=1000 reason=changed my mind$/mu,
  );
  expect(lines).not.toContain("wrong");
});
