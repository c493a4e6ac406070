import { afterEach, expect, test } from "vitest";
import { startFakeTelegram, type FakeTelegram } from "../../fakes/telegram/index.ts";
import { openScriptedGateway, type ScriptedGateway } from "../../support/agent-gateway.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
});

async function setUp(telegram: Record<string, unknown> = {}): Promise<{ fake: FakeTelegram; gateway: ScriptedGateway }> {
  const fake = await startFakeTelegram();
  open.push({ stop: () => fake.close() });
  const gateway = await openScriptedGateway({
    config: {
      channels: { telegram: { botToken: fake.bot.token, apiRoot: fake.url, allowFrom: [42], ...telegram } },
    },
  });
  open.push(gateway);
  return { fake, gateway };
}

test("a message from a phone becomes a turn, and its answer goes back", async () => {
  const { fake, gateway } = await setUp();
  gateway.script = () => ["Hello ", "**Ann**"];
  fake.chats.message(fake.bot, 42, { text: "hi" });
  await fake.until(() => fake.chats.sent.length === 1);
  expect(fake.chats.sent[0]).toMatchObject({ chatId: "42", text: "Hello Ann" });
});
