/** Messages that a channel left in the ledger when it was switched off wait for it, not for a restart of the gateway. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type ChatWorld, askedText, openChatWorld, patchConfig } from "./set-up.ts";

const open: ChatWorld[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

type Config = { channels: Record<string, Record<string, unknown>>; messages?: unknown };

const texts = ({ fake }: ChatWorld) => fake.chats.sent.map(({ text }) => text);
const pending = async (world: ChatWorld): Promise<number> => {
  const { payload } = await world.call("channels.status");
  const { channelAccounts } = payload as { channelAccounts: Record<string, { inbound: { pending: number } }[]> };
  return channelAccounts["telegram"]?.[0]?.inbound.pending ?? -1;
};

test.each([
  ["switched off", (own: Record<string, unknown>) => ({ ...own, enabled: false }), { enabled: true }],
  ["taken out of the config", () => undefined, undefined],
])("a message of a channel that was %s is answered when it is back, once", async (_name, off, on) => {
  // It waits to be joined with others when the gateway stops.
  const world = await openChatWorld({ config: { messages: { inbound: { debounceMs: 60_000 } } } });
  open.push(world);
  await world.fake.until(() => world.fake.bot.polling);
  world.fake.chats.message(world.fake.bot, 42, { text: "are you there?" });
  await expect.poll(() => pending(world)).toBe(1);
  await world.gateway.stop();

  const path = join(world.home.state, "openclaw.json");
  const { messages: _waits, ...config } = JSON.parse(readFileSync(path, "utf8")) as Config;
  const own = config.channels["telegram"] ?? {};
  writeFileSync(path, JSON.stringify({ ...config, channels: { telegram: off(own) } }));
  await world.again();
  await world.gateway.world.jump(5_000);
  expect(world.provider.requests).toHaveLength(0);

  await patchConfig(world, { channels: { telegram: on ?? own } });
  await world.fake.until(() => texts(world).length === 1);
  expect(askedText(world.provider.requests[0])).toContain("are you there?");
  await expect.poll(() => pending(world)).toBe(0);
  await world.gateway.world.jump(5_000);
  await patchConfig(world, { channels: { telegram: { replyToMode: "all" } } });
  expect(texts(world)).toEqual(["ok"]);
  expect(world.provider.requests).toHaveLength(1);
});
