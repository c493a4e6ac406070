/** Safe mode holds the channels, and lets them go when it is left (R-SVC-6). */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { edit } from "../../support/config-file.ts";
import { type ChatWorld, openChatWorld } from "./set-up.ts";

let world: ChatWorld | undefined;
afterEach(() => world?.stop());

/** A gateway that comes up after three boots that ended unclean. */
async function crashed(): Promise<ChatWorld> {
  const made = await openChatWorld();
  await made.gateway.stop();
  const now = Date.now();
  const boots = { unclean: [now - 3_000, now - 2_000, now - 1_000], runningSince: null, entered: 0 };
  writeFileSync(join(made.home.state, "boots.json"), JSON.stringify(boots));
  await made.again();
  return made;
}

test("after its quiet time the channels connect, and what waited is answered", async () => {
  world = await crashed();
  const { fake, gateway } = world;
  fake.chats.message(fake.bot, 42, { text: "hello" });
  const status = await world.call("channels.status");
  expect(JSON.stringify(status.payload)).toContain('"held"');
  await gateway.world.jump(10 * 60_000);
  await fake.until(() => fake.chats.sent.length === 1);
});

test("a change of the config ends it for the channels, too", async () => {
  world = await crashed();
  const { fake, gateway, home } = world;
  fake.chats.message(fake.bot, 42, { text: "hello" });
  edit(home, { messages: { ackReactionScope: "all" } });
  await gateway.world.jump(1_000);
  await fake.until(() => fake.chats.sent.length === 1);
});

test("so does a restart that an operator asks for", async () => {
  world = await crashed();
  const { fake, gateway } = world;
  fake.chats.message(fake.bot, 42, { text: "hello" });
  gateway.host.restarts.request({ reason: "test", delayMs: 0 });
  await gateway.world.jump(1);
  await fake.until(() => fake.chats.sent.length === 1);
});
