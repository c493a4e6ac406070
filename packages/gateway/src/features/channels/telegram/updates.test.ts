/** Payloads as the platform sends them, names replaced. */
import { anything, assert, property } from "fast-check";
import type { Update, UserFromGetMe } from "grammy/types";
import { expect, test } from "vitest";
import type { InboundMessage } from "../inbound.ts";
import { UpdateReader } from "./updates.ts";

const me = { id: 900, is_bot: true, first_name: "Bot", username: "My_Bot" } as UserFromGetMe;
const ann = { id: 42, is_bot: false, first_name: "Ann", last_name: "Lee", username: "AnnLee" };
const group = { id: -100_7, type: "supergroup", title: "Family" };
const forum = { ...group, is_forum: true };

const reader = (more: Partial<ConstructorParameters<typeof UpdateReader>[0]> = {}) =>
  new UpdateReader({ me, reactions: () => "own", isOwn: () => false, ...more });
const read = (update: object, using = reader()) => using.read({ update_id: 5, ...update } as unknown as Update);
const message = (fields: object, using = reader()): InboundMessage => {
  const reading = read({ message: { message_id: 10, from: ann, chat: group, date: 1_700_000_000, ...fields } }, using);
  if (!("message" in reading)) throw new Error(`passed over: ${reading.skipped}`);
  return reading.message;
};
const skipped = (update: object, using = reader()) => {
  const reading = read(update, using);
  return "skipped" in reading ? reading.skipped : undefined;
};

test("a direct message is known by chat and message id", () => {
  expect(message({ chat: { id: 42, type: "private", first_name: "Ann" }, text: "hi" })).toEqual({
    platformId: "m:42:10",
    messageId: "10",
    at: 1_700_000_000_000,
    chat: { kind: "direct", id: "42" },
    sender: { id: "42", name: "Ann Lee", username: "annlee" },
    text: "hi",
    media: [],
    mentions: { self: false, others: false },
  });
});

test("topics separate conversations only in forums; what stands in none is in the general one", () => {
  const topic = { text: "x", message_thread_id: 7, is_topic_message: true };
  expect(message({ ...topic, chat: forum }).chat).toEqual({
    kind: "group",
    id: "-1007",
    title: "Family",
    threadId: "7",
  });
  expect(message({ text: "x", chat: forum }).chat.threadId).toBe("1");
  // There the id only says which message a thread of replies began with.
  expect(message({ text: "x", chat: forum, message_thread_id: 33 }).chat.threadId).toBe("1");
  expect(message(topic).chat.threadId).toBeUndefined();
});

test("mentions are the platform's entities, by name, by person and by command", () => {
  const entity = (type: string, text: string, part: string, more = {}) => ({
    text,
    entities: [{ type, offset: text.indexOf(part), length: part.length, ...more }],
  });
  expect(message(entity("mention", "ask @my_bot 🙂", "@my_bot")).mentions).toEqual({ self: true, others: false });
  expect(message(entity("mention", "🙂 @ann hi", "@ann")).mentions).toEqual({ self: false, others: true });
  expect(message(entity("text_mention", "Bot, hi", "Bot", { user: { ...me } })).mentions.self).toBe(true);
  expect(message(entity("text_mention", "Bob, hi", "Bob", { user: { ...ann, id: 43 } })).mentions.others).toBe(true);
  expect(message(entity("bot_command", "/new@My_Bot now", "/new@My_Bot"))).toMatchObject({
    text: "/new now",
    mentions: { self: true, others: false },
  });
  expect(message(entity("bot_command", "/new@other_bot", "/new@other_bot")).mentions).toEqual({
    self: false,
    others: true,
  });
  expect(message(entity("bot_command", "/new", "/new")).mentions).toEqual({ self: false, others: false });
  const caption = { caption: "@my_bot look", caption_entities: [{ type: "mention", offset: 0, length: 7 }] };
  expect(message({ ...caption, voice: { file_id: "v", duration: 1 } })).toMatchObject({
    text: "@my_bot look",
    mentions: { self: true },
    media: [{ kind: "voice", mimeType: "audio/ogg", ref: { fileId: "v" } }],
  });
});

test("a reply brings what it answers; the message that opens a topic is nothing to answer", () => {
  const answered = { message_id: 3, from: me, text: "earlier", chat: group, date: 1 };
  expect(message({ text: "x", reply_to_message: answered }).replyTo).toEqual({
    id: "3",
    body: "earlier",
    sender: "Bot",
    toSelf: true,
  });
  expect(
    message({ text: "x", reply_to_message: { ...answered, from: ann }, quote: { text: "part", position: 0 } }).replyTo,
  ).toEqual({
    id: "3",
    body: "part",
    sender: "Ann Lee",
    toSelf: false,
  });
  expect(
    message({ text: "x", chat: forum, reply_to_message: { ...answered, forum_topic_created: { name: "T" } } }).replyTo,
  ).toBeUndefined();
  expect(
    message({
      text: "x",
      external_reply: { origin: { type: "channel", chat: { id: -1, type: "channel", title: "News" }, message_id: 4 } },
      quote: { text: "cited" },
    }).replyTo,
  ).toEqual({ id: "", body: "cited", sender: "News", toSelf: false });
});

test("forwards name their origin", () => {
  const from = (origin: object) => message({ text: "x", forward_origin: origin }).forwardedFrom;
  expect(from({ type: "user", sender_user: ann })).toBe("Ann Lee");
  expect(from({ type: "hidden_user", sender_user_name: "Someone" })).toBe("Someone");
  expect(from({ type: "chat", sender_chat: group })).toBe("Family");
});

test("unnamed administrators and channels write under the id of their chat", () => {
  const anonymous = { id: 1_087_968_824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" };
  expect(message({ text: "x", from: anonymous, sender_chat: group }).sender).toEqual({ id: "-1007", name: "Family" });
  const service = { id: 777_000, is_bot: false, first_name: "Telegram" };
  const channel = { id: -100_9, type: "channel", title: "News" };
  expect(message({ text: "x", from: service, sender_chat: channel }).sender).toEqual({ id: "-1009", name: "News" });
});

test("every kind of file becomes a reference; the largest photo counts", () => {
  const file = { file_id: "f", file_unique_id: "u", file_size: 9 };
  const photo = [
    { ...file, file_id: "s", width: 1, height: 1 },
    { ...file, file_id: "l", width: 9, height: 9 },
  ];
  const mediaOf = (fields: object) => message(fields).media[0];
  expect(mediaOf({ photo })).toEqual({ kind: "image", mimeType: "image/jpeg", sizeBytes: 9, ref: { fileId: "l" } });
  expect(mediaOf({ animation: { ...file, mime_type: "video/mp4" }, document: file })?.kind).toBe("video");
  expect(mediaOf({ video: file })?.kind).toBe("video");
  expect(mediaOf({ video_note: file })).toMatchObject({ kind: "video", mimeType: "video/mp4" });
  expect(mediaOf({ audio: { ...file, mime_type: "audio/mpeg", file_name: "a.mp3" } })).toMatchObject({
    kind: "audio",
    fileName: "a.mp3",
  });
  expect(mediaOf({ document: { ...file, mime_type: "application/pdf", file_name: "a.pdf" } })).toMatchObject({
    kind: "document",
    mimeType: "application/pdf",
    fileName: "a.pdf",
  });
  expect(mediaOf({ sticker: { ...file, is_animated: false, is_video: false } })?.kind).toBe("sticker");
  expect(
    skipped({ message: { message_id: 1, date: 1, chat: group, from: ann, sticker: { ...file, is_animated: true } } }),
  ).toBe("animated-sticker");
});

test("places and contacts are told", () => {
  const location = { latitude: 1.5, longitude: 2.5 };
  expect(message({ location }).location).toEqual(location);
  expect(message({ venue: { location, title: "Café", address: "Road 1" }, location }).location).toEqual({
    ...location,
    name: "Café",
    address: "Road 1",
  });
  expect(message({ contact: { first_name: "Bo", phone_number: "+1555" } }).text).toBe("Contact: Bo, +1555");
});

test("the parts of an album share a key", () => {
  const photo = [{ file_id: "f", width: 1, height: 1 }];
  expect(message({ photo, media_group_id: "77", caption: "us" }).join).toEqual({
    key: "album:-1007:77",
    waitMs: 500,
    kind: "album",
  });
});

test("a long paste is one message with its tail, commands and strangers are not part of it", () => {
  const long = "a".repeat(4_096);
  const using = reader();
  const at = (id: number, text: string, more: object = {}) =>
    message({ message_id: id, text, ...more }, using).join?.key;
  const first = at(20, long);
  expect(first).toBe("paste:-1007::42:20");
  expect(at(21, "from someone else", { from: { ...ann, id: 43 } })).toBeUndefined();
  expect(at(22, long)).toBe(first);
  expect(at(23, "tail")).toBe(first);
  expect(at(24, "next thought")).toBeUndefined();
  const second = at(30, long);
  expect(second).not.toBe(first);
  const command = { entities: [{ type: "bot_command", offset: 0, length: 5 }] };
  expect(at(31, "/stop", command)).toBeUndefined();
  expect(at(32, "tail")).toBeUndefined();
  at(40, long);
  expect(at(43, "too far away")).toBeUndefined();
  at(50, long);
  expect(at(51, "too late", { date: 1_700_000_003 })).toBeUndefined();
});

test("a paste ends at twelve parts", () => {
  const using = reader();
  const keys = Array.from(
    { length: 14 },
    (_, i) => message({ message_id: 100 + i, text: "a".repeat(4_000) }, using).join?.key,
  );
  expect(new Set(keys.slice(0, 12)).size).toBe(1);
  expect(keys[12]).not.toBe(keys[0]);
});

test("reactions are events: of own messages, of all, or of none", () => {
  const update = {
    message_reaction: {
      chat: group,
      message_id: 8,
      user: { ...ann, first_name: "An]n\n", last_name: "[x" },
      date: 1,
      old_reaction: [{ type: "emoji", emoji: "👍" }],
      new_reaction: [
        { type: "emoji", emoji: "👍" },
        { type: "emoji", emoji: "🔥" },
      ],
    },
  };
  expect(skipped(update)).toBe("reaction-to-others");
  expect(skipped(update, reader({ reactions: () => "off", isOwn: () => true }))).toBe("reactions-off");
  const own = read(update, reader({ isOwn: (chat, id) => chat === "-1007" && id === "8" }));
  expect(own).toMatchObject({
    message: { platformId: "r:5", messageId: "8", text: "", event: "Telegram reaction added: 🔥 by An n x on msg 8" },
  });
  expect(read(update, reader({ reactions: () => "all" }))).toHaveProperty("message");
  const removed = { message_reaction: { ...update.message_reaction, new_reaction: [] } };
  expect(skipped(removed, reader({ reactions: () => "all" }))).toBe("reaction-removed");
});

test("a group that moves becomes an event that names its new id", () => {
  expect(message({ migrate_to_chat_id: -100_99 }).event).toContain("-10099");
});

test("what is not for an agent is passed over under a reason", () => {
  const one = { message_id: 1, date: 1, chat: group, from: ann };
  expect(skipped({ edited_message: { ...one, text: "x" } })).toBe("edited");
  expect(skipped({ channel_post: { ...one, text: "x" } })).toBe("channel-post");
  expect(skipped({ callback_query: { id: "1", from: ann, data: "x" } })).toBe("button");
  expect(skipped({ my_chat_member: { chat: group, new_chat_member: { status: "kicked" } } })).toBe("membership");
  expect(skipped({ message: { ...one, new_chat_members: [ann] } })).toBe("service");
  expect(skipped({ message: { ...one, from: me, text: "echo" } })).toBe("own");
  expect(skipped({ message: { message_id: 1, date: 1, chat: group, text: "x" } })).toBe("no-sender");
  expect(skipped({ chosen_inline_result: {} })).toBe("unsupported");
  expect(skipped({ message: { ...one, text: 5 } })).toBe("unreadable");
  expect(skipped({ message: { ...one, date: "now", text: "x" } })).toBe("unreadable");
});

test("property: no update makes the reader throw (F20)", () => {
  const using = reader({ reactions: () => "all" });
  assert(
    property(anything(), anything(), (a, b) => {
      expect(() => read({ message: a }, using)).not.toThrow();
      expect(() =>
        read(
          { message: { message_id: 1, from: ann, chat: group, date: 1, text: "x", entities: a, reply_to_message: b } },
          using,
        ),
      ).not.toThrow();
      expect(() => read({ message_reaction: { chat: a, old_reaction: b } }, using)).not.toThrow();
    }),
    { numRuns: 200 },
  );
});
