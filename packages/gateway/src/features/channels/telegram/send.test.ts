import { mkdtemp, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { OutboundContent, OutboundPart } from "../outbound.ts";
import { type Rig, textPart, withAccount, type RigOptions } from "./account.fixture.ts";
import { telegramLimits } from "./limits.ts";

const signal = new AbortController().signal;

const withOpen = (run: (rig: Rig) => Promise<void>, options: RigOptions = {}) =>
  withAccount(async (rig) => {
    rig.fake.chats.add({ id: 42 });
    rig.connect();
    await rig.polling();
    await run(rig);
  }, options);

const send = (rig: Rig, part: OutboundPart) => rig.account.send(part, { signal });

async function file(name: string, bytes: number | string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "telegram-send-")), name);
  await writeFile(path, typeof bytes === "string" ? bytes : "");
  if (typeof bytes === "number") await truncate(path, bytes);
  return path;
}

const media = (
  path: string,
  mimeType: string,
  more: Partial<Extract<OutboundContent, { type: "media" }>> = {},
): OutboundPart => ({
  target: { chatId: "42", kind: "direct" },
  content: { type: "media", path, mimeType, ...more },
});

test("replies, topics, silence and previews are said in the platform's words", () =>
  withOpen(
    async (rig) => {
      const { fake } = rig;
      fake.chats.add({ id: -100_5, is_forum: true, topics: [7] });
      const { messageId } = fake.chats.message(fake.bot, -100_5, { text: "q" });
      const target = { chatId: "-1005", kind: "group" as const };
      await send(
        rig,
        textPart("-1005", "a", { target: { ...target, threadId: "7" }, replyToId: String(messageId), silent: true }),
      );
      // The general topic is named by naming none.
      await send(rig, textPart("-1005", "b", { target: { ...target, threadId: "1" }, replyToId: "not a number" }));
      expect(fake.chats.sent).toMatchObject([{ text: "a", threadId: 7, replyTo: messageId }, { text: "b" }]);
      expect(fake.chats.sent[0]?.params).toMatchObject({
        disable_notification: true,
        link_preview_options: { is_disabled: true },
      });
      expect(fake.chats.sent[1]?.params).not.toHaveProperty("message_thread_id");
      await rig.account.typing({ ...target, threadId: "1" }, true);
      expect(fake.calls("sendChatAction")[0]?.params["message_thread_id"]).toBe(1);
    },
    { config: { linkPreview: false } },
  ));

test("what the platform refuses for its form is sent in a lesser form", () =>
  withOpen(async (rig) => {
    const { fake } = rig;
    const broken = textPart("42", "<b>x", { content: { type: "text", body: { text: "<b>x", plain: "x" } } });
    expect(await send(rig, broken)).toMatchObject({ state: "sent" });
    expect(fake.chats.sent.at(-1)).toMatchObject({ text: "x", entities: [] });
    const lost = textPart("42", "y", { target: { chatId: "42", kind: "direct", threadId: "99" }, replyToId: "5" });
    expect(await send(rig, lost)).toMatchObject({ state: "sent" });
    const old = fake.chats.add({ id: -6, type: "group" });
    old.fields["migrated_to"] = -100_66;
    fake.chats.add({ id: -100_66 });
    expect(await send(rig, textPart("-6", "moved"))).toMatchObject({ state: "sent", chatId: "-10066" });
  }));

test("a message that is gone is answered without naming it, and a topic that is gone in the chat itself", () =>
  withOpen(async (rig) => {
    const { fake } = rig;
    const refuse = (description: string) => fake.fault("sendMessage", { kind: "error", code: 400, description });
    refuse("Bad Request: reply message not found");
    expect(await send(rig, textPart("42", "a", { replyToId: "5" }))).toMatchObject({ state: "sent" });
    refuse("Bad Request: message to be replied not found");
    expect(await send(rig, textPart("42", "b", { replyToId: "5" }))).toMatchObject({ state: "sent" });
    refuse("Bad Request: message thread not found");
    const target = { chatId: "42", kind: "direct" as const, threadId: "9" };
    expect(await send(rig, textPart("42", "c", { target }))).toMatchObject({ state: "sent" });
    const tries = fake
      .calls("sendMessage")
      .map(({ params }) => [
        params["text"],
        (params["reply_parameters"] as object | undefined) ?? params["message_thread_id"],
      ]);
    const reply = { message_id: 5, allow_sending_without_reply: true };
    expect(tries).toEqual([
      ["a", reply],
      ["a", undefined],
      ["b", reply],
      ["b", undefined],
      ["c", 9],
      ["c", undefined],
    ]);
  }));

test("a send has the deadline of the config, and another one without it", () =>
  withOpen(
    async (rig) => {
      rig.fake.fault("sendMessage", { kind: "hang" });
      const startedAt = performance.now();
      const outcome = await send(rig, textPart("42", "x"));
      expect(outcome).toMatchObject({ state: "unknown", reason: "timeout" });
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    },
    { config: { timeoutSeconds: 1 } },
  ));

test("deadlines are those of a person who waits: 45 s for a text, 58 s for a file, a poll's time and 15 s for a poll", () => {
  expect(telegramLimits).toMatchObject({ sendMs: 45_000, uploadMs: 58_000, pollWaitMs: 30_000, pollMarginMs: 15_000 });
});

test("chats that cannot be written to are explained, and not tried again", () =>
  withOpen(async (rig) => {
    rig.fake.chats.add({ id: 7, blocked: true });
    expect(await send(rig, textPart("7", "x"))).toMatchObject({
      state: "failed",
      reason: "blocked",
      detail: expect.stringContaining("Start"),
    });
    expect(await send(rig, textPart("555", "x"))).toMatchObject({ state: "failed", reason: "chat-not-found" });
    expect(await send(rig, textPart("42", "x".repeat(5_000)))).toMatchObject({ state: "failed", reason: "rejected" });
    expect(rig.fake.chats.sent).toEqual([]);
  }));

test("the platform's wait is taken exactly, for this chat alone", () =>
  withOpen(async (rig) => {
    rig.fake.fault("sendMessage", { kind: "error", code: 429, parameters: { retry_after: 7 } });
    const outcome = await send(rig, textPart("42", "x"));
    expect(outcome).toMatchObject({ state: "retry", reason: "rate-limited", afterMs: 7_000 });
    expect(outcome).not.toHaveProperty("account");
  }));

test("files go out by the method of their kind, with their caption", () =>
  withOpen(async (rig) => {
    const caption = { text: "<i>c</i>", plain: "c" };
    const cases: [string, string, number, Partial<Extract<OutboundContent, { type: "media" }>>, string][] = [
      ["a.jpg", "image/jpeg", 100, { caption }, "sendPhoto"],
      ["big.png", "image/png", 11 * 1024 * 1024, {}, "sendDocument"],
      ["a.gif", "image/gif", 100, {}, "sendAnimation"],
      ["b.mp4", "video/mp4", 100, { gifPlayback: true }, "sendAnimation"],
      ["a.mp4", "video/mp4", 100, {}, "sendVideo"],
      ["a.mp3", "audio/mpeg", 100, {}, "sendAudio"],
      ["a.ogg", "audio/ogg; codecs=opus", 100, { asVoice: true }, "sendVoice"],
      ["a.wav", "audio/wav", 100, { asVoice: true }, "sendDocument"],
      ["a.pdf", "application/pdf", 100, { fileName: 'Büro "1";.pdf' }, "sendDocument"],
    ];
    for (const [name, mime, bytes, more, method] of cases) {
      expect(await send(rig, media(await file(name, bytes), mime, more)), name).toMatchObject({ state: "sent" });
      const sent = rig.fake.chats.sent.at(-1);
      expect(sent?.method, name).toBe(method);
      expect(Object.values(sent?.files ?? {})[0]?.bytes, name).toBe(bytes);
    }
    expect(rig.fake.chats.sent[0]).toMatchObject({ text: "c", entities: [{ type: "italic" }] });
    expect(Object.values(rig.fake.chats.sent.at(-1)?.files ?? {})[0]?.name).toBe("Büro _1__.pdf");
  }));

test("a voice message somebody does not take arrives as a recording, a picture that cannot be shown as a file", () =>
  withOpen(async (rig) => {
    const chat = rig.fake.chats.ensure(42);
    chat.fields["has_restricted_voice_and_video_messages"] = true;
    await send(rig, media(await file("a.ogg", 10), "audio/ogg", { asVoice: true }));
    expect(rig.fake.chats.sent.at(-1)?.method).toBe("sendAudio");
    rig.fake.fault("sendPhoto", { kind: "error", code: 400, description: "Bad Request: PHOTO_INVALID_DIMENSIONS" });
    await send(rig, media(await file("a.png", 10), "image/png"));
    expect(rig.fake.chats.sent.at(-1)?.method).toBe("sendDocument");
  }));

test("a file that is gone, empty or too large fails before anything is sent", () =>
  withOpen(async (rig) => {
    rig.config["apiRoot"] = undefined;
    expect(await send(rig, media("/nowhere/a.png", "image/png"))).toMatchObject({
      state: "failed",
      reason: "file-missing",
    });
    expect(await send(rig, media(await file("e", 0), "text/plain"))).toMatchObject({
      state: "failed",
      reason: "file-empty",
    });
    const big = await file("big", 51 * 1024 * 1024);
    expect(await send(rig, media(big, "text/plain"))).toMatchObject({ state: "failed", reason: "too-large" });
    expect(rig.fake.chats.sent).toEqual([]);
  }));

test("polls go out with their settings", () =>
  withOpen(async (rig) => {
    const content = {
      type: "poll" as const,
      question: "When?",
      options: ["now", "later"],
      maxSelections: 2,
      durationSeconds: 60,
      isAnonymous: false,
    };
    expect(await send(rig, { target: { chatId: "42", kind: "direct" }, content })).toMatchObject({ state: "sent" });
    expect(rig.fake.chats.sent[0]?.params).toMatchObject({
      question: "When?",
      options: [{ text: "now" }, { text: "later" }],
      allows_multiple_answers: true,
      is_anonymous: false,
      open_period: 60,
    });
  }));

test("messages are edited, deleted and reacted to; what is so already is success", () =>
  withOpen(async (rig) => {
    const { fake, account } = rig;
    const chat = { chatId: "42", kind: "direct" as const };
    const outcome = await send(rig, textPart("42", "one"));
    const id = outcome.state === "sent" ? outcome.messageId : "";
    const stored = () => fake.chats.messages.get(`42:${id}`)?.["text"];
    await account.edit?.(chat, id, { text: "<b>two</b>", plain: "two" });
    expect(stored()).toBe("two");
    await account.edit?.(chat, id, { text: "two", plain: "two" });
    await account.edit?.(chat, id, { text: "<b>three", plain: "three" });
    expect(stored()).toBe("three");
    await account.react?.(chat, id, "👍", {});
    await account.react?.(chat, id, "", { remove: true });
    expect(fake.calls("setMessageReaction").map(({ params }) => params["reaction"])).toEqual([
      [{ type: "emoji", emoji: "👍" }],
      [],
    ]);
    await expect(account.react?.(chat, id, "🦖", {})).rejects.toThrow(/REACTION_INVALID/u);
    await account.delete?.(chat, id);
    await account.delete?.(chat, id);
    expect(fake.chats.messages.has(`42:${id}`)).toBe(false);
    await expect(account.edit?.(chat, id, { text: "x", plain: "x" })).rejects.toThrow(/message to edit not found/u);
  }));

test("typing is swallowed where it fails, and left alone where it is forbidden or limited", () =>
  withOpen(async (rig) => {
    const { fake, account } = rig;
    const at = (chatId: string) => account.typing({ chatId, kind: "direct" }, true);
    const calls = () => fake.calls("sendChatAction").length;
    fake.chats.add({ id: 7, blocked: true });
    await at("7");
    await at("7");
    expect(calls()).toBe(1);
    await at("42");
    await account.typing({ chatId: "42", kind: "direct" }, false);
    expect(calls()).toBe(2);
    fake.fault("sendChatAction", { kind: "error", code: 429, parameters: { retry_after: 30 } });
    await at("42");
    await at("43");
    expect(calls()).toBe(3);
  }));

test("while messages to a chat have to wait, nothing is only shown there", () =>
  withOpen(async (rig) => {
    const { fake, account } = rig;
    fake.chats.add({ id: 43 });
    fake.fault("sendMessage", { kind: "error", code: 429, parameters: { retry_after: 30 } });
    expect(await send(rig, textPart("42", "x"))).toMatchObject({ state: "retry", afterMs: 30_000 });
    await account.typing({ chatId: "42", kind: "direct" }, true);
    await account.typing({ chatId: "43", kind: "direct" }, true);
    expect(fake.calls("sendChatAction").map(({ params }) => params["chat_id"])).toEqual(["43"]);
  }));

test("before a voice message the chat sees that one is recorded", () =>
  withOpen(async (rig) => {
    const { fake } = rig;
    await send(rig, media(await file("a.ogg", 10), "audio/ogg", { asVoice: true }));
    await send(rig, media(await file("a.pdf", 10), "application/pdf"));
    await fake.until(() => fake.calls("sendChatAction").length > 0);
    expect(fake.calls("sendChatAction").map(({ params }) => [params["chat_id"], params["action"]])).toEqual([
      ["42", "record_voice"],
    ]);
  }));

test("the command menu is registered with the config's own entries, or cleared", () =>
  withOpen(
    async (rig) => {
      await rig.account.setCommands?.([{ name: "new-session", description: "Start over" }]);
      expect(rig.fake.bot.commands).toEqual([
        { command: "new_session", description: "Start over" },
        { command: "deploy", description: "Ship it" },
      ]);
      rig.config["commands"] = { native: false };
      rig.config["customCommands"] = [];
      await rig.account.setCommands?.([{ name: "new", description: "x" }]);
      expect(rig.fake.bot.commands).toEqual([]);
      rig.config["commands"] = { nativeSkills: false };
      rig.fake.fault("setMyCommands", { kind: "http", status: 502 });
      const both = [
        { name: "new", description: "x" },
        { name: "weather", description: "y", skill: true },
      ];
      await rig.account.setCommands?.(both);
      expect(rig.said()).toContain("the command menu was not registered");
      await rig.account.setCommands?.(both);
      await rig.account.setCommands?.(both);
      expect(rig.fake.bot.commands).toEqual([{ command: "new", description: "x" }]);
      expect(rig.fake.calls("setMyCommands").length, "once more after the failure, then never again").toBe(3);
    },
    { config: { customCommands: [{ command: "deploy", description: "Ship it" }] } },
  ));

test("a file that came in is fetched into the media directory, by its content", () =>
  withOpen(async (rig) => {
    const data = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(300_000, 7)]);
    const { file_id: fileId } = rig.fake.chats.storeFile(data, "re port.pdf");
    const ref = { kind: "document" as const, fileName: "x.exe", ref: { fileId } };
    const limits = { maxBytes: 1024 * 1024, signal };
    const got = await rig.account.download(ref, limits);
    expect(got).toMatchObject({ mimeType: "application/pdf", sizeBytes: data.length });
    expect(got.path).toMatch(/inbound\/[0-9a-f]{64}\.pdf$/u);
    expect(got.path.startsWith(rig.mediaDir)).toBe(true);
    expect((await readFile(got.path)).equals(data)).toBe(true);
    expect((await stat(got.path)).mode & 0o777).toBe(0o600);
    expect(await rig.account.download(ref, limits)).toEqual(got);
  }));

test("a file that is too large, gone or cut off is refused in words for the chat", () =>
  withOpen(async (rig) => {
    const { fake, account } = rig;
    const get = (fileId: string, maxBytes = 1_000, sizeBytes?: number) =>
      account.download(
        { kind: "document", ref: { fileId }, ...(sizeBytes === undefined ? {} : { sizeBytes }) },
        { maxBytes, signal },
      );
    const { file_id: id } = fake.chats.storeFile(Buffer.alloc(5_000), "a.bin");
    await expect(get(id, 1_000, 5_000)).rejects.toThrow(/too large/u);
    expect(fake.calls("getFile")).toEqual([]);
    await expect(get(id)).rejects.toThrow(/too large/u);
    await expect(get("nothing")).rejects.toThrow(/no longer available/u);
    await expect(account.download({ kind: "image", ref: {} }, { maxBytes: 1, signal })).rejects.toThrow(
      /no Telegram file id/u,
    );
    const huge = fake.chats.storeFile(Buffer.alloc(21 * 1024 * 1024), "huge.bin");
    await expect(get(huge.file_id, 1e9)).rejects.toThrow(/at most 20 MB/u);
    fake.fault("file", { kind: "endless" }, { kind: "reset", when: "middle" }, { kind: "http", status: 404 });
    await expect(get(id, 100_000)).rejects.toThrow(/too large/u);
    await expect(get(id, 10_000)).rejects.toThrow(/send it again/u);
    await expect(get(id, 10_000)).rejects.toThrow(/send it again/u);
    expect((await readdir(join(rig.mediaDir, "inbound"))).filter((name) => name.startsWith(".part"))).toEqual([]);
  }));
