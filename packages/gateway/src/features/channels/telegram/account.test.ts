import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Rig, textPart, withAccount } from "./account.fixture.ts";

const signal = new AbortController().signal;

test("a message is polled, stored, and only then confirmed; an answer leaves", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    const { updateId } = fake.chats.message(fake.bot, 42, { text: "hello" });
    let atReceive = -1;
    rig.onReceive = async () => void (atReceive = fake.bot.confirmedOffset);
    rig.connect();
    await fake.until(() => fake.bot.confirmedOffset > updateId);
    expect(atReceive).toBe(0);
    expect(rig.opened).toBe(1);
    expect(rig.messages).toMatchObject([
      { text: "hello", chat: { kind: "direct", id: "42" }, sender: { id: "42" }, mentions: { self: false } },
    ]);
    expect(rig.batches[0]).toMatchObject({ ownId: String(fake.bot.id), cursor: String(updateId) });
    const outcome = await rig.account.send(textPart("42", "<b>hi</b>"), { signal });
    expect(outcome).toMatchObject({ state: "sent", chatId: "42" });
    expect(fake.chats.sent).toMatchObject([{ text: "hi", entities: [{ type: "bold" }] }]);
  }));

test("the start asks who the bot is, removes a webhook left over without dropping updates, and names what it wants", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    fake.bot.webhook = { url: "https://old.example/hook" };
    fake.chats.message(fake.bot, 42, { text: "waited" });
    rig.connect();
    await fake.until(() => rig.messages.length === 1);
    expect(fake.requests.slice(0, 3).map(({ method }) => method)).toEqual(["getMe", "deleteWebhook", "getUpdates"]);
    expect(fake.calls("deleteWebhook")[0]?.params).toEqual({ drop_pending_updates: false });
    expect(fake.calls("getUpdates")[0]?.params).toEqual({
      limit: 100,
      timeout: 2,
      allowed_updates: [
        "message",
        "edited_message",
        "channel_post",
        "callback_query",
        "message_reaction",
        "my_chat_member",
      ],
    });
    expect(rig.notes).toMatchObject({ mode: "polling", bot: { username: "fake_bot", canReadAllGroupMessages: true } });
  }));

test("an abort closes the poll at once and nothing is called afterwards", () =>
  withAccount(async (rig) => {
    const { end, stop } = rig.connect();
    await rig.polling();
    const startedAt = performance.now();
    stop.abort();
    expect(await end).toEqual({ kind: "aborted" });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await rig.fake.until(() => rig.fake.connections === 0);
    const { batches } = rig;
    rig.fake.chats.message(rig.fake.bot, 42, { text: "late" });
    expect(batches).toEqual([]);
  }));

test("an abort before the first byte connects to nothing", () =>
  withAccount(async (rig) => {
    rig.fake.fault("getMe", { kind: "hang" });
    const { end, stop } = rig.connect();
    await rig.fake.until(() => rig.fake.requests.length === 1);
    stop.abort();
    expect(await end).toEqual({ kind: "aborted" });
    expect(rig.opened).toBe(0);
  }));

test("updates that could not be stored stay with the platform, and come again", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    const { updateId } = fake.chats.message(fake.bot, 42, { text: "keep me" });
    rig.onReceive = () => Promise.reject(new Error("disk full"));
    expect(await rig.connect().end).toEqual({ kind: "retry", message: "disk full" });
    expect(fake.bot.confirmedOffset).toBe(0);
    rig.onReceive = async () => {};
    rig.connect();
    await fake.until(() => fake.bot.confirmedOffset > updateId);
    expect(rig.messages).toHaveLength(1);
  }));

test("a restart goes on where the stored cursor stands", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    const first = fake.chats.message(fake.bot, 42, { text: "one" });
    rig.cursor = { value: String(first.updateId), storedAt: rig.world.now() };
    fake.chats.message(fake.bot, 42, { text: "two" });
    rig.connect();
    await fake.until(() => rig.messages.length > 0);
    expect(rig.messages.map(({ text }) => text)).toEqual(["two"]);
    expect(rig.notes["cursor"]).toBeUndefined();
  }));

test("a cursor older than six days is not trusted, and that is said: the ids may have begun anew", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    rig.cursor = { value: "900000000", storedAt: rig.world.now() - 6.5 * 24 * 3_600_000 };
    fake.bot.nextUpdateId = 1_000;
    fake.chats.message(fake.bot, 42, { text: "after a quiet week" });
    rig.connect();
    await fake.until(() => rig.messages.length > 0);
    expect(rig.notes["cursor"]).toBe("fresh");
    expect(rig.cursor?.value).toBe("1000");
    await fake.until(() => fake.bot.confirmedOffset === 1_001);
  }));

test("a quiet week while running does not lose the message that ends it", () =>
  withAccount(
    async (rig) => {
      const { fake } = rig;
      let shift = 0;
      rig.world.now = () => Date.now() + shift;
      fake.bot.nextUpdateId = 5_000;
      fake.chats.message(fake.bot, 42, { text: "before" });
      rig.connect();
      await fake.until(() => fake.bot.confirmedOffset === 5_001);
      shift = 7 * 24 * 3_600_000;
      const polls = fake.calls("getUpdates").length;
      rig.account.woke?.(shift);
      await fake.until(() => fake.calls("getUpdates").length > polls && fake.bot.polling);
      fake.bot.nextUpdateId = 77;
      fake.chats.message(fake.bot, 42, { text: "after" });
      await fake.until(() => rig.messages.length === 2);
      expect(fake.calls("getUpdates").at(-1)?.params["offset"]).not.toBe(5_001);
    },
    { limits: { pollWaitMs: 1_000 } },
  ));

test("polls wait for room in the ledger", () =>
  withAccount(async (rig) => {
    const gate = Promise.withResolvers<void>();
    rig.room = () => gate.promise;
    rig.connect();
    await rig.fake.until(() => rig.opened === 1 || rig.fake.calls("deleteWebhook")[0]?.status);
    expect(rig.fake.calls("getUpdates")).toEqual([]);
    gate.resolve();
    await rig.polling();
  }));

test("one poll at a time, each on a connection of its own that is closed before the next", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    rig.connect();
    for (let n = 1; n <= 5; n++) {
      await rig.polling();
      fake.chats.message(fake.bot, 42, { text: `m${n}` });
      await fake.until(() => rig.messages.length === n);
    }
    await rig.polling();
    const ports = fake.calls("getUpdates").map(({ clientPort }) => clientPort);
    expect(new Set(ports).size).toBe(ports.length);
    expect(fake.bot.conflicts).toBe(0);
    await fake.until(() => fake.connections === 1);
  }));

test("another poller: waits a poll's time, says so from the second time on, and starts over after a good poll", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    const conflict = {
      kind: "error",
      code: 409,
      description: "Conflict: terminated by other getUpdates request",
    } as const;
    fake.fault("getUpdates", conflict, conflict);
    const first = await rig.connect().end;
    expect(first).toMatchObject({ kind: "retry", status: 409, afterMs: 2_000 });
    expect(first).not.toHaveProperty("hint");
    expect(await rig.connect().end).toMatchObject({ status: 409, hint: expect.stringContaining("Another program") });
    const third = rig.connect();
    await rig.polling();
    fake.chats.message(fake.bot, 42, { text: "x" });
    await fake.until(() => rig.messages.length === 1 && fake.bot.polling);
    fake.fault("getUpdates", conflict);
    rig.account.woke?.(0);
    const again = await third.end;
    expect(again).toMatchObject({ status: 409 });
    expect(again).not.toHaveProperty("hint");
  }));

test("two accounts with one bot: the second is refused rather than fighting the first", () =>
  withAccount(async (rig) => {
    rig.connect();
    await rig.polling();
    expect(await rig.connect().end).toMatchObject({ kind: "terminal", reason: "replaced" });
    expect(rig.fake.bot.conflicts).toBe(0);
  }));

test("a token revoked while running ends in a state that says what to do", () =>
  withAccount(async (rig) => {
    const { end } = rig.connect();
    await rig.polling();
    rig.fake.bot.revoke();
    expect(await end).toMatchObject({
      kind: "terminal",
      reason: "bad-token",
      status: 401,
      fix: expect.stringContaining("BotFather"),
    });
  }));

test("a poll on a dead connection is given up by its own deadline", () =>
  withAccount(
    async (rig) => {
      rig.fake.fault("getUpdates", { kind: "hang" });
      expect(await rig.connect().end).toMatchObject({ kind: "retry", message: expect.stringContaining("in time") });
    },
    { limits: { pollWaitMs: 100, pollMarginMs: 100 } },
  ));

test("after a sleep the poll is asked again on a new connection", () =>
  withAccount(async (rig) => {
    rig.fake.fault("getUpdates", { kind: "hang" });
    rig.connect();
    await rig.fake.until(() => rig.fake.calls("getUpdates").length === 1);
    rig.account.woke?.(60_000);
    await rig.polling();
    expect(rig.fake.calls("getUpdates")).toHaveLength(2);
  }));

test("restarts and wake-ups in quick succession never make two polls meet", () =>
  withAccount(async (rig) => {
    for (let n = 0; n < 15; n++) {
      const { end, stop } = rig.connect();
      await rig.polling();
      rig.account.woke?.(60_000);
      const polls = rig.fake.calls("getUpdates").length;
      await rig.fake.until(() => rig.fake.calls("getUpdates").length > polls && rig.fake.bot.polling);
      stop.abort();
      expect(await end).toEqual({ kind: "aborted" });
    }
    expect(rig.fake.bot.conflicts).toBe(0);
  }));

test("tokens in files are read at the start; a file that cannot be read is an error, not another token", async () => {
  const dir = await mkdtemp(join(tmpdir(), "telegram-token-"));
  const path = join(dir, "token");
  const withFile = (tokenFile: string, run: (rig: Rig) => Promise<void>) => withAccount(run, { config: { tokenFile } });
  const refused = (problem: string) => async (rig: Rig) => {
    expect(await rig.connect().end).toMatchObject({
      kind: "terminal",
      reason: "bad-token",
      message: expect.stringContaining(problem),
    });
    expect(rig.fake.requests).toEqual([]);
  };
  await withFile(path, refused("ENOENT"));
  await withFile(dir, refused("not a regular file"));
  await writeFile(path, "no token at all");
  await withFile(path, refused("holds no bot token"));
  await withFile(path, async (rig) => {
    await writeFile(path, `${rig.fake.bot.token}\n`);
    rig.connect();
    await rig.polling();
    expect(await rig.account.probe(1_000)).toMatchObject({ ok: true, bot: { username: "fake_bot" } });
  });
});

test("groups, topics, albums, reactions and what is passed over, all in one batch", () =>
  withAccount(async (rig) => {
    const { fake } = rig;
    fake.chats.add({ id: -100_5, title: "Forum", is_forum: true, topics: [7] });
    const photo = [{ file_id: "p", width: 1, height: 1 }];
    for (let n = 0; n < 4; n++)
      fake.chats.message(fake.bot, -100_5, {
        photo,
        media_group_id: "9",
        message_thread_id: 7,
        is_topic_message: true,
      });
    fake.chats.message(fake.bot, 42, { text: "changed" }, "edited_message");
    fake.bot.push({ my_chat_member: { chat: { id: -3 }, new_chat_member: { status: "left" } } });
    fake.bot.push({ callback_query: { id: "cb1", from: { id: 42 }, data: "x" } });
    rig.owned.add("42:11");
    const reaction = {
      chat: { id: 42, type: "private" },
      message_id: 11,
      date: 1,
      user: { id: 42, first_name: "Ann" },
    };
    fake.bot.push({
      message_reaction: { ...reaction, old_reaction: [], new_reaction: [{ type: "emoji", emoji: "👍" }] },
    });
    rig.connect();
    await fake.until(() => rig.batches.length > 0 && fake.calls("answerCallbackQuery").length === 1);
    const keys = rig.messages.slice(0, 4).map(({ join }) => join?.key);
    expect(new Set(keys)).toEqual(new Set(["album:-1005:9"]));
    expect(rig.messages[0]?.chat).toMatchObject({ kind: "group", id: "-1005", threadId: "7" });
    expect(rig.messages[4]?.event).toContain("👍");
    expect(rig.batches[0]?.skipped).toEqual({ edited: 1, membership: 1, button: 1 });
    expect(rig.said()).toContain("the bot's place in a chat changed");
  }));

test("a group that becomes a supergroup says where its conversation goes on", () =>
  withAccount(async (rig) => {
    rig.fake.chats.message(rig.fake.bot, -5, { migrate_to_chat_id: -100_55 });
    rig.connect();
    await rig.fake.until(() => rig.messages.length === 1);
    expect(rig.messages[0]).toMatchObject({ chat: { id: "-5" }, movedTo: "-10055" });
  }));

test("a probe tells whether the account works, and never rejects", () =>
  withAccount(async (rig) => {
    const { fake, account } = rig;
    expect(await account.probe(1_000)).toMatchObject({ ok: true, bot: { id: "100001" } });
    fake.fault("getMe", { kind: "error", code: 401, description: "Unauthorized" }, { kind: "hang" });
    expect(await account.probe(1_000)).toMatchObject({ ok: false, status: 401 });
    expect(await account.probe(50)).toMatchObject({ ok: false, error: expect.stringContaining("in time") });
  }));

test("a restart while the former attempt still stores a batch is tried again, not terminal", async () => {
  await withAccount(async (rig) => {
    const first = rig.connect();
    await rig.polling();
    const stuck = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    rig.onReceive = () => (begun.resolve(), stuck.promise);
    rig.fake.chats.message(rig.fake.bot, 42, { text: "hello" });
    await begun.promise;
    first.stop.abort();
    // The supervisor gives an attempt 3 s, the stop of a generation 2 s; then the next one begins.
    const second = await rig.connect().end;
    stuck.resolve();
    expect(second).toMatchObject({ kind: "retry" });
    await first.end;
  });
});
