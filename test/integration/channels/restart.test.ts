/** Restarts of the gateway within its process: one poller at any time, and no message lost or answered twice (A1, R-TG-1). */
import { afterEach, expect, test } from "vitest";
import { askedText, type ChatWorld, openChatWorld } from "./set-up.ts";

let world: ChatWorld | undefined;
afterEach(() => world?.stop());

test("messages before, during and after restarts in the process are answered once each, by one poller", async () => {
  world = await openChatWorld();
  const { fake, gateway } = world;
  world.script = (request) => [`answer to ${/message \d+/u.exec(askedText(request))?.[0]}`];
  const answers = () => fake.chats.sent.filter(({ chatId }) => chatId === "42").map(({ text }) => text);
  const restarts = () => gateway.log.filter((line) => line.includes("restarted; listening")).length;
  await fake.until(() => fake.bot.polling);
  let number = 0;
  for (let round = 1; round <= 2; round++) {
    fake.chats.message(fake.bot, 42, { text: `message ${++number}` });
    await fake.until(() => answers().length === number);
    gateway.host.restarts.request({ reason: "test", delayMs: 0 });
    await gateway.world.jump(1);
    fake.chats.message(fake.bot, 42, { text: `message ${++number}` });
    await fake.until(() => restarts() === round && fake.bot.polling && answers().length === number);
  }
  expect(new Set(answers()).size).toBe(number);
  expect(answers()).toHaveLength(number);
  expect(fake.bot.conflicts).toBe(0);
  expect(fake.bot.ledger.every(({ confirmed }) => confirmed)).toBe(true);
});
