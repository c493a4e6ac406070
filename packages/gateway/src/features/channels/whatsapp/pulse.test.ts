/** How an account shows that it lives, and when it is given up (channels.md §6.4, §6.5, §6.7). */
import { afterEach, expect, test } from "vitest";
import { encodeKey } from "./key-codec.ts";
import { connected, heard, linkedCreds, played, type Played, turns } from "./library.fixture.ts";
import { silenceMs } from "./pulse.ts";

const made: Played[] = [];
async function set(options?: Parameters<typeof played>[0]): Promise<Played> {
  const on = await played(options);
  made.push(on);
  return on;
}
afterEach(() => {
  for (const { store } of made.splice(0)) store.close();
});

const notes = (events: ReturnType<typeof heard>) =>
  Object.assign({}, ...events.told.flatMap(([name, facts]) => (name === "note" ? [facts] : []))) as Record<
    string,
    unknown
  >;
const presences = (on: Played) => on.library.last.calls.filter(([name]) => name === "presence");
const savedAt = (on: Played, at: number) =>
  on.store.commit((tx) =>
    tx.run(
      "INSERT INTO whatsapp_auth VALUES ('default', 'meta', '', ?)",
      encodeKey({ dir: "/nowhere/credentials/whatsapp/default", savedAt: at }),
    ),
  );

test("a dead transport is noticed within minutes, however rare the heartbeat is", async () => {
  const on = await set({ web: { heartbeatSeconds: 3_600 } });
  const { done } = await connected(on);
  await on.world.clock.advance(silenceMs + 60_000);
  expect(await done).toMatchObject({ kind: "retry", status: 499, message: expect.stringContaining("no sign of life") });
});

test("the silence of one connection is not held against the next", async () => {
  const on = await set();
  const first = await connected(on);
  await on.world.clock.advance(silenceMs + 60_000);
  expect(await first.done).toMatchObject({ status: 499 });
  await on.world.clock.advance(60 * 60_000);
  const second = await connected(on);
  await on.world.clock.advance(120_000);
  expect(on.library.live).toBe(1);
  second.stop.abort();
  expect(await second.done).toEqual({ kind: "aborted" });
});

test("each heartbeat is a line with the connection, its age, its messages and the age of the credentials", async () => {
  const on = await set({ web: { heartbeatSeconds: 20 } });
  await savedAt(on, on.world.now() - 5_000);
  const { socket } = await connected(on);
  socket.deliver({ key: { remoteJid: "49@s.whatsapp.net", id: "A1" }, message: { conversation: "hi" } } as never);
  const content = { type: "text" as const, body: { text: "hi", plain: "hi" } };
  void on.account.send(
    { target: { chatId: "+49151", kind: "direct" }, content },
    { clientMsgId: "M1", signal: new AbortController().signal },
  );
  await turns();
  await on.world.clock.advance(40_000);
  const beats = on.lines.filter(({ message }) => message === "connected").map(({ fields }) => fields);
  expect(beats).toMatchObject([
    { upMs: 20_000, received: 1, sent: 1, authAgeMs: 25_000, connection: expect.stringMatching(/^\w{8}$/u) },
    { upMs: 40_000 },
  ]);
  expect(new Set(beats.map((fields) => fields?.["connection"])).size).toBe(1);
});

test("the age of the credentials is that of their last save, from the first moment, and gone with the link", async () => {
  const on = await set();
  const at = on.world.now() - 3 * 24 * 60 * 60_000;
  await savedAt(on, at);
  const { events, done, socket } = await connected(on);
  expect(notes(events)).toMatchObject({ authSavedAt: at });
  socket.events.closed({ status: 401, message: "" });
  await done;
  expect(notes(events)["authSavedAt"]).toBeUndefined();
});

test("after it opened the account shows itself as present, once, as soon as its name is known", async () => {
  const named = await set();
  await connected(named);
  expect(presences(named)).toEqual([["presence", "available", undefined]]);
  const nameless = await set();
  await nameless.store.commit((tx) =>
    tx.run(
      "UPDATE whatsapp_auth SET value = ? WHERE kind = 'creds'",
      encodeKey({ ...linkedCreds, me: { ...linkedCreds.me, name: undefined } }),
    ),
  );
  const { socket } = await connected(nameless);
  expect(presences(nameless)).toEqual([]);
  if (socket.creds.me) socket.creds.me.name = "Me";
  socket.events.credsChanged();
  socket.events.credsChanged();
  expect(presences(nameless)).toEqual([["presence", "available", undefined]]);
});

test("the owner's private number is not shown as present, reads nothing, and its phone goes on ringing", async () => {
  for (const channel of [{ allowFrom: ["+15550001000"] }, { selfChatMode: true }]) {
    const on = await set({ channel });
    await connected(on);
    await on.account.markRead([{ remoteJid: "49@s.whatsapp.net", id: "A1" }]);
    expect(on.library.last.calls).toEqual([]);
  }
});

test("messages are marked as read with who wrote them, unless that is switched off", async () => {
  const receipt = { remoteJid: "120363@g.us", id: "A1", participant: "49@s.whatsapp.net" };
  const read = async (channel: Record<string, unknown>) => {
    const on = await set({ channel });
    await connected(on);
    await on.account.markRead([receipt]);
    return on.library.last.calls.filter(([name]) => name === "readMessages");
  };
  expect(await read({})).toEqual([["readMessages", [receipt]]]);
  expect(await read({ sendReadReceipts: false })).toEqual([]);
});

test("before a text the contact sees that somebody is typing", async () => {
  const on = await set();
  await connected(on);
  const content = { type: "text" as const, body: { text: "hi", plain: "hi" } };
  void on.account.send(
    { target: { chatId: "+49151", kind: "direct" }, content },
    { signal: new AbortController().signal },
  );
  await turns();
  expect(
    on.library.last.calls.map(([name, what, whom]) => [name, what, whom].slice(0, name === "presence" ? 3 : 2)),
  ).toEqual([
    ["presence", "available", undefined],
    ["presence", "composing", "49151@s.whatsapp.net"],
    ["sendMessage", "49151@s.whatsapp.net"],
  ]);
});

test("a bad session is tried again, and from the third in a row on the link itself is named as the doubt", async () => {
  const on = await set();
  const end = async (status: number) => {
    const { done, socket } = await connected(on);
    socket.events.closed({ status, message: "" });
    return await done;
  };
  const hint = expect.stringContaining("link the account again");
  expect(await end(500)).not.toHaveProperty("hint");
  expect(await end(500)).not.toHaveProperty("hint");
  expect(await end(500)).toMatchObject({ kind: "retry", status: 500, hint });
  expect(await end(428)).not.toHaveProperty("hint");
  expect(await end(500)).not.toHaveProperty("hint");
});

test("the first code of a login lives a minute, the next ones twenty seconds; when they are used up the login is over", async () => {
  const on = await set({ linked: false });
  const events = heard();
  const done = on.account.connect(events, new AbortController().signal, { login: {} });
  await turns();
  const lifetimes = () =>
    events.told.flatMap(([name, code]) =>
      name === "loginCode" ? [(code as { expiresAt: number }).expiresAt - on.world.now()] : [],
    );
  for (const text of ["one", "two", "three"]) on.library.last.events.qr(text);
  expect(lifetimes()).toEqual([60_000, 20_000, 20_000]);
  on.library.last.events.closed({ status: 408, message: "QR refs attempts ended" });
  expect(await done).toMatchObject({ kind: "retry", status: 408 });
  expect(on.account.linked(), "a new login is needed").toBe(false);
});

test("401 during a login leaves nothing of it behind, and says to begin again", async () => {
  const on = await set({ linked: false });
  const events = heard();
  const done = on.account.connect(events, new AbortController().signal, { login: {} });
  await turns();
  const { last: socket } = on.library;
  socket.events.qr("one");
  Object.assign(socket.creds, linkedCreds);
  socket.events.paired();
  await turns();
  expect(on.account.linked()).toBe(true);
  socket.events.closed({ status: 401, message: "" });
  expect(await done).toMatchObject({ kind: "terminal", fix: expect.stringContaining("channels login") });
  expect(on.account.linked()).toBe(false);
});
