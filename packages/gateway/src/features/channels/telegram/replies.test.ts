/** Whole answers through the outbox to the fake platform, whose log is the judge (channels.md §10). Time runs fifty times faster. */
import { expect, test } from "vitest";
import { silentLogger } from "../../../kernel/log.ts";
import { systemWorld, type World } from "../../../kernel/world.ts";
import { openStore } from "../../../store/index.ts";
import { channelMigrations } from "../channels.store.ts";
import { composeParts } from "../compose.ts";
import { Outbox, type OutboxAccount } from "../ledger/index.ts";
import { type Rig, withAccount } from "./account.fixture.ts";
import { telegramEntry } from "./entry.ts";

const speed = 50;

function quickWorld(): World {
  const real = systemWorld({});
  const startedAt = real.now();
  return {
    ...real,
    now: () => Math.round(startedAt + real.monotonic() * speed),
    monotonic: () => real.monotonic() * speed,
    after: (ms, run) => real.after(ms / speed, run),
    every: (ms, run) => real.every(ms / speed, run),
    sleep: (ms) => real.sleep(ms / speed),
  };
}

async function withOutbox(
  run: (rig: Rig, reply: (key: string, chatId: string, text: string) => Promise<void>, outbox: Outbox) => Promise<void>,
) {
  await withAccount(async (rig) => {
    const world = quickWorld();
    const store = openStore({ path: ":memory:", migrations: channelMigrations, world, log: silentLogger });
    const account: OutboxAccount = {
      state: "open",
      open: true,
      budget: telegramEntry.budget,
      clientMessageIds: false,
      send: (part, attempt) => rig.account.send(part, attempt),
    };
    const outbox = new Outbox({ store, world, log: silentLogger, account: () => account, systemEvent: () => {} });
    const settings = { textChunkLimit: 4_000, chunkMode: "length" as const, tables: "code" as const };
    const reply = async (key: string, chatId: string, text: string) => {
      const target = { chatId, kind: "direct" as const };
      const parts = composeParts(telegramEntry, settings, { target, text });
      await store.commit((tx) =>
        outbox.insert(tx, {
          key,
          family: "reply",
          principal: "test",
          channel: "telegram",
          accountId: "default",
          kind: "reply",
          parts,
        }),
      );
    };
    rig.fake.chats.add({ id: 42 });
    rig.fake.chats.add({ id: 43 });
    rig.connect();
    await rig.polling();
    await outbox.start();
    try {
      await run(rig, reply, outbox);
    } finally {
      await outbox.stop(1_000);
      store.close();
    }
  });
}

const numbered = (name: string, lines: number) =>
  Array.from({ length: lines }, (_, n) => `const ${name}${n} = "${"x".repeat(20)}";`).join("\n");

test("429 with a wait of 7 s on the second part: it is waited for, the order stays, another chat goes on", () =>
  withOutbox(async ({ fake }, reply) => {
    const answer = `Here:\n\n\`\`\`ts\n${numbered("v", 250)}\n\`\`\`\n\n**Done.**`;
    fake.fault("sendMessage", { kind: "slow", ms: 1 }, { kind: "error", code: 429, parameters: { retry_after: 7 } });
    await reply("a", "42", answer);
    const refused = await fake.until(() => fake.calls("sendMessage").find(({ status }) => status === 429), 10_000);
    await reply("b", "43", "meanwhile");
    await reply("c", "42", "afterwards");
    await fake.until(() => fake.chats.sent.some(({ text }) => text === "afterwards"), 10_000);
    const order = fake.chats.sent.map(({ chatId, text }) => [chatId, text] as const);
    const long = order.filter(([chatId, text]) => chatId === "42" && text !== "afterwards").map(([, text]) => text);
    expect(long.length).toBeGreaterThanOrEqual(3);
    expect(long.flatMap((text) => [...text.matchAll(/const v(\d+)/gu)].map(([, n]) => Number(n)))).toEqual(
      Array.from({ length: 250 }, (_, n) => n),
    );
    expect(order.at(-1)).toEqual(["42", "afterwards"]);
    const again = fake.calls("sendMessage").filter(({ params }) => params["chat_id"] === "42")[2];
    expect(((again?.at ?? 0) - refused.at) * speed).toBeGreaterThanOrEqual(7_000 - speed * 5);
    const other = fake.chats.sent.findIndex(({ text }) => text === "meanwhile");
    expect(other).toBeLessThan(fake.chats.sent.findIndex(({ text }) => text.endsWith("Done.")));
  }));

test("a part whose fate is unknown is never sent again", () =>
  withOutbox(async ({ fake }, reply, outbox) => {
    fake.fault("sendMessage", { kind: "reset", when: "after", apply: true });
    await reply("a", "42", numbered("v", 250));
    await reply("b", "42", "next");
    await fake.until(() => fake.chats.sent.some(({ text }) => text === "next"), 10_000);
    const texts = fake.calls("sendMessage").map(({ params }) => params["text"]);
    expect(new Set(texts).size).toBe(texts.length);
    expect(fake.chats.sent).toHaveLength(texts.length);
    expect(outbox.backlog("telegram", "default")).toMatchObject({ unknown: 1 });
  }));
