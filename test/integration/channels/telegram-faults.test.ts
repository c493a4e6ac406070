/** What breaks between the gateway and Telegram, and the state each ends in (channels.md §7.2, §10). Long times are virtual. */
import { afterEach, expect, test } from "vitest";
import { type ChatWorld, openChatWorld } from "./set-up.ts";

const minute = 60_000;
const open: ChatWorld[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function polling(): Promise<ChatWorld> {
  const world = await openChatWorld();
  open.push(world);
  await world.fake.until(() => world.fake.bot.polling);
  await expect.poll(async () => (await account(world))["state"]).toBe("open");
  return world;
}

const texts = ({ fake }: ChatWorld) => fake.chats.sent.map(({ text }) => text);
const account = async (world: ChatWorld) =>
  ((await world.call("channels.status")).payload as never)["channelAccounts"]["telegram"][0] as Record<string, unknown>;
const untilState = (world: ChatWorld, state: string) =>
  expect.poll(async () => (await account(world))["state"], { timeout: 5_000 }).toBe(state);

async function calm(world: ChatWorld): Promise<void> {
  const wire = await world.gateway.connect();
  const took: number[] = [];
  for (let n = 0; n < 9; n++) {
    const at = performance.now();
    expect((await wire.request("health")).ok).toBe(true);
    took.push(performance.now() - at);
  }
  await wire.close();
  expect(took.sort((a, b) => a - b)[4]).toBeLessThanOrEqual(100);
}

/** Ends the wait for the next attempt; returns how long it would have been. */
async function wake(world: ChatWorld): Promise<number> {
  await untilState(world, "backoff");
  const { nextAttemptAt } = (await account(world)) as { nextAttemptAt: number };
  const ms = nextAttemptAt - world.gateway.world.now();
  await world.gateway.world.jump(ms + 1);
  return ms;
}

async function answered(world: ChatWorld, text: string): Promise<void> {
  const before = texts(world).length;
  world.fake.chats.message(world.fake.bot, 42, { text });
  await world.fake.until(() => texts(world).length === before + 1, 10_000);
}

/** Another program with the same token. */
async function pollElsewhere({ fake }: ChatWorld): Promise<void> {
  const answer = await fetch(`${fake.url}/bot${fake.bot.token}/getUpdates?timeout=0&offset=-1`);
  expect(answer.ok).toBe(true);
}

test("a second program that polls the bot: it waits as long as a poll lasts, names the cause, and goes on when the other is gone", async () => {
  const world = await polling();
  await pollElsewhere(world);
  expect(await wake(world)).toBeGreaterThanOrEqual(29_000);
  expect(await account(world)).toMatchObject({ lastDisconnect: { status: 409 } });
  await world.fake.until(() => world.fake.bot.polling);
  await pollElsewhere(world);
  await untilState(world, "backoff");
  await expect.poll(() => world.gateway.log.join("\n")).toContain("Another program uses this bot");
  await calm(world);
  await wake(world);
  await answered(world, "are you alone now?");
  expect(world.provider.requests.length).toBe(1);
});

test("a poll on which nothing comes any more is given up after 45 s, and the next one has a connection of its own", async () => {
  const world = await polling();
  const polls = world.fake.calls("getUpdates").length;
  world.fake.fault("getUpdates", { kind: "hang" });
  await answered(world, "first");
  await world.fake.until(() => world.fake.calls("getUpdates").length > polls);
  world.fake.chats.message(world.fake.bot, 42, { text: "into the void" });
  await calm(world);
  await world.gateway.world.jump(46_000);
  await expect
    .poll(async () => (await account(world))["lastDisconnect"])
    .toMatchObject({
      error: "Telegram did not answer getUpdates in time.",
    });
  // On a busy machine the wait for the next attempt may be over already.
  await world.gateway.world.jump(3_000);
  await world.fake.until(() => texts(world).length === 2, 10_000);
  expect(world.provider.requests.length).toBe(2);
});

test.each([
  { what: "no answer", fault: { kind: "reset", when: "before" } as const },
  {
    what: "a page of something in between",
    fault: { kind: "http", status: 502, body: "<html>Bad gateway</html>" } as const,
  },
  { what: "an error of the platform", fault: { kind: "error", code: 500, description: "Internal" } as const },
])("$what to a poll ends in waiting, then in a connection; what waits is answered once", async ({ fault }) => {
  const world = await polling();
  // The poll that waits now is answered; the next two meet the fault.
  world.fake.fault("getUpdates", fault, fault);
  world.fake.chats.message(world.fake.bot, 42, { text: "wakes the poll" });
  expect(await wake(world)).toBeLessThanOrEqual(2_500);
  expect(await wake(world)).toBeLessThanOrEqual(4_500);
  await calm(world);
  await world.fake.until(() => texts(world).length === 1, 10_000);
  await answered(world, "again");
  expect(world.provider.requests.length).toBe(2);
});

for (const jump of ["wall clock", "both clocks"] as const)
  test(`eight hours in one step (${jump}), as after sleep: the poll is made anew, and what came meanwhile is answered`, async () => {
    const world = await polling();
    const before = world.fake.calls("getUpdates").length;
    const { world: clock } = world.gateway;
    if (jump === "wall clock") clock.shiftWall(8 * 60 * minute);
    else clock.stall(8 * 60 * minute);
    await world.fake.until(() => world.fake.calls("getUpdates").length > before);
    await answered(world, "good morning");
    expect((await account(world))["state"]).toBe("open");
  });

test("stopped while a send is on its way: it is finished or said to be unknown, and never sent twice", async () => {
  const world = await polling();
  world.fake.chats.add({ id: 42 });
  world.fake.fault("sendMessage", { kind: "hang" });
  const params = { to: "42", message: "on its way", channel: "telegram", idempotencyKey: "k" };
  const sending = world.call("send", params).catch(() => undefined);
  await world.fake.until(() => world.fake.calls("sendMessage").length === 1);
  const at = performance.now();
  await world.again();
  await sending;
  expect(performance.now() - at).toBeLessThan(15_000);
  await untilState(world, "open");
  const asked = await world.call("send", params);
  expect(asked.ok || /unknown/iu.test(asked.error?.message ?? "")).toBe(true);
  await answered(world, "hello");
  expect(world.fake.calls("sendMessage").length, "the hung one, and the answer").toBe(2);
}, 30_000);
