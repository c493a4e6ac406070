/** What webhooks leave behind: runs that outlive a stop, replies nobody needs, sessions of mappings (http.md §12.5, §12.7). */
import { afterEach, expect, test } from "vitest";
import { closeHooks, ended, notes, ownHooks } from "./hooks-set-up.ts";

afterEach(closeHooks);

test("a run that was active when the gateway stopped goes on with the next one, and ends once", async () => {
  const { world, post } = await ownHooks();
  world.script = () => [{ hang: true }];
  const answer = await post("/hooks/agent", { message: "look", name: "Door", wakeMode: "next-heartbeat" });
  const { runId } = (await answer.json()) as { runId: string };
  await expect.poll(() => world.provider.requests.length).toBe(1);
  world.script = () => ["all quiet"];
  await world.again();
  const wire = await world.gateway.connect({ client: { id: "gateway-client", mode: "backend" } });
  const ran = await wire.call<{ status: string }>("agent.wait", { runId, timeoutMs: 10_000 });
  expect([ran.status, world.provider.requests.length]).toEqual(["ok", 2]);
  expect(await notes(wire)).toEqual(["Hook Door: all quiet"]);
  await world.again();
  const next = await world.gateway.connect({ client: { id: "gateway-client", mode: "backend" } });
  expect([await notes(next), world.provider.requests.length]).toEqual([["Hook Door: all quiet"], 2]);
});

test("a note that was told is not told again after a restart", async () => {
  const { world, post, wire } = await ownHooks();
  expect((await post("/hooks/wake", { text: "kettle", mode: "next-heartbeat" })).status).toBe(200);
  await wire.final("agent", { message: "hello", sessionKey: "main", idempotencyKey: "k" });
  expect(world.provider.requests.at(-1)?.raw).toContain("kettle");
  await world.again();
  const next = await world.gateway.connect({ client: { id: "gateway-client", mode: "backend" } });
  expect(await notes(next)).toEqual([]);
});

test("a reply that says as a heartbeat does that nothing is due goes to nobody, words beside the token included", async () => {
  const { world, post, wire } = await ownHooks();
  const { fake } = world;
  fake.chats.message(fake.bot, 42, { text: "hi" });
  await fake.until(() => fake.chats.sent.length === 1);
  const quiet = { message: "weather", wakeMode: "next-heartbeat" };
  world.script = () => ["HEARTBEAT_OK All is well."];
  await ended(wire, await post("/hooks/agent", quiet));
  world.script = () => ["Rain at five."];
  await ended(wire, await post("/hooks/agent", quiet));
  await fake.until(() => fake.chats.sent.length === 2);
  expect(fake.chats.sent.map(({ text }) => text)).toEqual(["ok", "Rain at five."]);
});

test("callers that may not name a session still reach that of a mapping", async () => {
  const { post, wire } = await ownHooks({
    allowRequestSessionKey: false,
    mappings: [{ match: { path: "door" }, messageTemplate: "{{what}}", sessionKey: "hook:door", deliver: false }],
  });
  const { status } = await ended(wire, await post("/hooks/door", { what: "opened" }));
  expect(status).toBe("ok");
  expect((await post("/hooks/agent", { message: "x", sessionKey: "hook:door" })).status).toBe(400);
  const { sessions } = await wire.call<{ sessions: { key: string }[] }>("sessions.list", {});
  expect(sessions.map(({ key }) => key)).toContain("agent:main:hook:door");
});
