/** The judge is judged: what the fake Bot API promises (channels.md §9), asked in the platform's own words. */
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { type FakeTelegram, parseHtml, startFakeTelegram } from "../../../../../../test/fakes/telegram/index.ts";

interface Answer {
  ok: boolean;
  result?: unknown;
  error_code?: number;
  description?: string;
  parameters?: Record<string, number>;
}

async function withFake(
  run: (fake: FakeTelegram, call: (method: string, params?: object) => Promise<Answer>) => Promise<void>,
  options: Parameters<typeof startFakeTelegram>[0] = {},
): Promise<void> {
  const fake = await startFakeTelegram(options);
  const call = async (method: string, params: object = {}): Promise<Answer> => {
    const response = await fetch(`${fake.url}/bot${fake.bot.token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify(params),
    });
    return (await response.json()) as Answer;
  };
  try {
    await run(fake, call);
  } finally {
    await fake.close();
  }
}

const ids = (answer: Answer) => (answer.result as { update_id: number }[]).map(({ update_id: id }) => id);

test("updates stay until an offset above them comes; limit and negative offsets are obeyed", () =>
  withFake(async (fake, call) => {
    const [a, b, c] = ["a", "b", "c"].map((text) => fake.chats.message(fake.bot, 42, { text }).updateId);
    expect(ids(await call("getUpdates"))).toEqual([a, b, c]);
    expect(ids(await call("getUpdates", { limit: 1 }))).toEqual([a]);
    expect(ids(await call("getUpdates", { offset: b }))).toEqual([b, c]);
    expect(ids(await call("getUpdates", { offset: -1 }))).toEqual([c]);
    expect(fake.bot.ledger).toEqual([
      { updateId: a, delivered: 2, confirmed: true },
      { updateId: b, delivered: 2, confirmed: true },
      { updateId: c, delivered: 3, confirmed: false },
    ]);
  }));

test("a poll waits for the first update; the older of two polls gets 409", () =>
  withFake(async (fake, call) => {
    const first = call("getUpdates", { timeout: 30 });
    await fake.until(() => fake.bot.polling);
    const second = call("getUpdates", { timeout: 30 });
    expect(await first).toMatchObject({ ok: false, error_code: 409 });
    await fake.until(() => fake.bot.polling);
    const { updateId } = fake.chats.message(fake.bot, 42, { text: "x" });
    expect(ids(await second)).toEqual([updateId]);
    expect(fake.bot.conflicts).toBe(1);
  }));

test("a poll whose client has hung up does not meet the next one, however late that is noticed", () =>
  withFake(async (fake) => {
    const dial = () =>
      new Promise<Socket>((resolve) => {
        const socket = connect(Number(new URL(fake.url).port), "127.0.0.1", () => resolve(socket));
      });
    const ask = (socket: Socket) =>
      socket.write(
        `GET /bot${fake.bot.token}/getUpdates?timeout=30 HTTP/1.1\r\nhost: fake\r\nconnection: close\r\n\r\n`,
      );
    let now = await dial();
    ask(now);
    for (let n = 1; n <= 30; n++) {
      await fake.until(() => fake.calls("getUpdates").length === n && fake.bot.polling);
      const next = await dial();
      // Both are there when the fake looks again.
      now.destroy();
      ask(next);
      now = next;
      await fake.until(() => fake.calls("getUpdates").length === n + 1);
    }
    now.destroy();
    expect(fake.bot.conflicts).toBe(0);
  }));

test("kinds that were not asked for wait, and the list is remembered", () =>
  withFake(async (fake, call) => {
    fake.bot.push({ message_reaction: {} });
    expect(ids(await call("getUpdates"))).toEqual([]);
    expect(ids(await call("getUpdates", { allowed_updates: ["message_reaction"] }))).toHaveLength(1);
    expect(ids(await call("getUpdates"))).toHaveLength(1);
  }));

test("a webhook refuses polls until it is deleted; its pending updates stay", () =>
  withFake(async (fake, call) => {
    await call("setWebhook", { url: "https://x.example/" });
    fake.chats.message(fake.bot, 42, { text: "x" });
    expect(await call("getUpdates")).toMatchObject({
      error_code: 409,
      description: expect.stringContaining("webhook"),
    });
    await call("deleteWebhook");
    expect(ids(await call("getUpdates"))).toHaveLength(1);
  }));

test("limits answer 429 with the seconds to wait, and count per chat", () =>
  withFake(
    async (fake, call) => {
      fake.chats.add({ id: 1 });
      fake.chats.add({ id: 2 });
      expect(await call("sendMessage", { chat_id: 1, text: "a" })).toMatchObject({ ok: true });
      expect(await call("sendMessage", { chat_id: 1, text: "b" })).toMatchObject({
        error_code: 429,
        parameters: { retry_after: 60 },
      });
      expect(await call("sendMessage", { chat_id: 2, text: "c" })).toMatchObject({ ok: true });
    },
    { rateLimits: { chatEveryMs: 60_000 } },
  ));

test("what the platform refuses is refused: texts, topics, buttons, tokens, methods", () =>
  withFake(async (fake, call) => {
    fake.chats.add({ id: -5, is_forum: true, topics: [7] });
    const refused = async (params: object, what: RegExp) =>
      expect((await call("sendMessage", { chat_id: -5, text: "x", ...params })).description).toMatch(what);
    await refused({ text: " " }, /text is empty/u);
    await refused({ text: "x".repeat(4_097) }, /too long/u);
    await refused({ text: "<b>x", parse_mode: "HTML" }, /can't parse entities/u);
    await refused({ text: "<div>x</div>", parse_mode: "HTML" }, /can't parse entities/u);
    await refused({ message_thread_id: 1 }, /thread not found/u);
    await refused({ chat_id: 99 }, /chat not found/u);
    await refused({ reply_parameters: { message_id: 1 } }, /not found/u);
    await refused(
      { reply_markup: { inline_keyboard: [[{ text: "b", callback_data: "é".repeat(33) }]] } },
      /BUTTON_DATA_INVALID/u,
    );
    expect(await call("sendChatAction", { chat_id: -5, message_thread_id: 1 })).toMatchObject({ ok: true });
    expect(await call("noSuchMethod")).toMatchObject({ error_code: 404 });
    fake.bot.revoke();
    expect(await call("getMe")).toMatchObject({ error_code: 401 });
  }));

test("entities are measured as the platform does", () => {
  expect(
    parseHtml('a<b>b&lt;<i>😀</i></b><pre><code class="language-ts">x</code></pre><a href="http://y?a&amp;b">z</a>'),
  ).toEqual({
    text: "ab<😀xz",
    entities: [
      { type: "bold", offset: 1, length: 4 },
      { type: "italic", offset: 3, length: 2 },
      { type: "pre", offset: 5, length: 1, language: "ts" },
      { type: "text_link", offset: 6, length: 1, url: "http://y?a&b" },
    ],
  });
});
