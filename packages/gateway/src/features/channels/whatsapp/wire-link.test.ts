/** Links, ends and kills with the real library against a server that speaks WhatsApp Web (channels.md §6.3, §6.4, §8). */
import { afterEach, expect, test } from "vitest";
import { seededRandom } from "../../../../../../test/support/random.ts";
import type { ChannelAccount, ConnectionEnd } from "../channel.ts";
import { ann, never, say, texts, until, wireBox, type Wire, WireSession } from "./wire.fixture.ts";

const { close, linked, open, wire } = wireBox();
afterEach(close);

test("an account is linked by camera: a code, the phone's yes, a new connection at once", async () => {
  const on = await wire();
  expect(on.account.linked()).toBe(false);
  const login = new WireSession(on.account, {});
  await until("a code", () => login.codes.length > 0);
  const [code] = login.codes;
  expect(code).toMatchObject({ kind: "qr", text: expect.stringContaining(",") });
  expect((code?.expiresAt ?? 0) - Date.now()).toBeGreaterThan(55_000);
  await on.fake.phone.scanQr(code?.kind === "qr" ? code.text : "");
  expect(await login.ended).toMatchObject({ kind: "again", status: 515 });
  expect(login.linked).toBe(true);
  expect(on.account.linked()).toBe(true);
  const session = await open(on);
  expect(session.self).toMatchObject({ id: "+15550001000", e164: "+15550001000" });
});

test("an account is linked by a code that is typed on the phone", async () => {
  const on = await wire();
  const login = new WireSession(on.account, { phone: "+1 555 000 1000" });
  await until("a code", () => login.codes.length > 0 || login.end !== undefined);
  const [code] = login.codes;
  expect(code).toMatchObject({ kind: "code", code: expect.stringMatching(/^[0-9A-Z]{8}$/u) });
  expect(on.account.linked(), "a number alone is no link").toBe(false);
  await on.fake.phone.enterPairingCode(code?.kind === "code" ? code.code : "");
  expect(await login.ended).toMatchObject({ kind: "again", status: 515 });
  await open(on);
});

test("without a link a connection ends at once and names the command that makes one", async () => {
  const on = await wire();
  const session = new WireSession(on.account);
  expect(await session.ended).toMatchObject({
    kind: "terminal",
    reason: "not-linked",
    fix: expect.stringContaining("channels login"),
  });
});

test("whenever the process is killed, the keys on disk are the keys the other side knows", async () => {
  const on = await linked({ server: { preKeys: true } });
  const person = await ann(on);
  const group = await on.fake.phone.createGroup({ subject: "Family", members: [person.pn] });
  const random = seededRandom(20_261_121);
  /** Rows a killed process leaves, as the inbox would hold them. */
  const stored = new Set<string>();
  let account = on.account;
  for (let kill = 0; kill < 12; kill++) {
    const session = await open(on, account);
    const killed = new Promise<ChannelAccount>((resolve) =>
      on.killAtFrame(1 + Math.floor(random() * 36), (after) => {
        for (const message of session.messages) stored.add(message.platformId);
        resolve(after);
      }),
    );
    const target = kill % 2 === 0 ? person.number : group;
    for (const n of [0, 1, 2]) void account.send(say(target, `out ${kill}.${n}`), { signal: never });
    void on.fake.phone.sendText(person.pn, `in ${kill}`, kill % 3 === 0 ? { group } : {});
    // Where fewer frames were due, another one comes.
    const alive = account;
    const nudge = setInterval(() => void alive.typing({ chatId: person.number, kind: "direct" }, true), 15);
    account = await killed;
    clearInterval(nudge);
    await session.close();
  }
  const session = await open(on, account);
  await on.fake.phone.sendText(person.pn, "still readable");
  await until("it", () => texts(session).includes("still readable"));
  expect((await account.send(say(group, "to all"), { signal: never })).state).toBe("sent");
  // A message that was stored, and whose receipt was lost, comes again; nothing is owed in the end.
  const { outbound, inbound } = await on.fake.until(
    (ledger) => ledger.inbound.every((message) => !message.pending) && ledger,
    "every message to be done with",
  );
  for (const message of session.messages) stored.add(message.platformId);
  expect(outbound.length).toBeGreaterThan(6);
  expect(outbound.filter((message) => message.readers.length === 0)).toEqual([]);
  const people = inbound.filter((message) => message.from === person.pn);
  expect(
    people.filter(({ receipts }) => receipts.some(({ type }) => type === "retry")),
    "asked for again",
  ).toEqual([]);
  expect(people.filter((message) => ![...stored].some((row) => row.endsWith(`:${message.id}`)))).toEqual([]);
});

test("a message whose fate is unknown when the connection ends is sent again under its id, and shown once", async () => {
  for (const when of ["before", "after"] as const) {
    const on = await linked();
    const person = await ann(on);
    const session = await open(on);
    await on.fake.faults.dropOnMessage(when);
    const clientMsgId = on.account.newMessageId?.() ?? "";
    const part = say(person.number, "once");
    expect(await on.account.send(part, { clientMsgId, signal: never })).toMatchObject({ state: "unknown" });
    await session.ended;
    await open(on);
    expect(await on.account.send(part, { clientMsgId, signal: never })).toMatchObject({ state: "sent" });
    const { outbound } = await on.fake.ledger();
    expect(outbound.filter(({ id }) => id === clientMsgId)).toHaveLength(1);
    expect(outbound.map(({ unreadable }) => unreadable)).toEqual([[]]);
  }
});

test.each<[string, (on: Wire) => Promise<void>, Partial<ConnectionEnd>]>([
  ["device removed on the phone", (on) => on.fake.phone.removeDevice(), { kind: "terminal", status: 401 } as never],
  ["replaced elsewhere", (on) => on.fake.faults.kickReplaced(), { kind: "terminal", status: 440 } as never],
  ["blocked", (on) => on.fake.faults.failure(403, { now: true }), { kind: "terminal", status: 403 } as never],
  ["downgraded", (on) => on.fake.faults.downgrade(), { kind: "terminal", status: 411 } as never],
  ["version refused", (on) => on.fake.faults.failure(405, { now: true }), { kind: "retry", afterMs: 300_000 } as never],
  ["restart wished", (on) => on.fake.faults.streamError({ code: 515 }), { kind: "again", status: 515 } as never],
  ["bad session", (on) => on.fake.faults.streamError(), { kind: "retry", status: 500 } as never],
  ["unavailable", (on) => on.fake.faults.streamError({ code: 503 }), { kind: "retry", status: 503 } as never],
  ["stream ended", (on) => on.fake.faults.streamEnd(), { kind: "retry", status: 428 } as never],
  ["connection reset", (on) => on.fake.faults.dropTcp(), { kind: "retry" } as never],
])("%s ends the connection as it should", async (_name, fault, expected) => {
  const on = await linked();
  const session = await open(on);
  await fault(on);
  expect(await session.ended).toMatchObject(expected);
});

test("an upgrade that is answered by a web page ends at once", async () => {
  const on = await linked();
  await on.fake.faults.refuseUpgrade(405);
  const session = new WireSession(on.account);
  expect(await session.ended).toMatchObject({ kind: "retry", status: 408, message: expect.stringContaining("405") });
});

test("logging out tells the phone, and deletes the keys", async () => {
  const on = await linked();
  const session = await open(on);
  expect(await on.account.logout?.()).toEqual({ cleared: true, loggedOut: true });
  await session.ended;
  await on.fake.until((ledger) => ledger.companions[0]?.removed, "the phone to know");
  expect(on.account.linked()).toBe(false);
  const left = on.store.all<{ kind: string }>("SELECT kind FROM whatsapp_auth").map(({ kind }) => kind);
  expect(left, "only that this directory was looked at").toEqual(["meta"]);
});

test("history after linking triggers nothing", async () => {
  const on = await linked();
  const person = await ann(on);
  const session = await open(on);
  await on.fake.phone.sendHistory([{ from: person.pn, text: "long ago" }]);
  await on.fake.phone.sendText(person.pn, "now");
  await until("the new one", () => session.messages.length > 0);
  expect(texts(session)).toEqual(["now"]);
});
