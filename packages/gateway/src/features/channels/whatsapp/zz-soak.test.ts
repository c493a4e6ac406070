/** The adapter with the real library against a server that speaks WhatsApp Web (channels.md §8). */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { seededRandom } from "../../../../../../test/support/random.ts";
import type { ConnectionEnd } from "../channel.ts";
import type { OutboundPart } from "../outbound.ts";
import { link, opened, openWire, until, type Wire, type WireOptions, WireSession } from "./wire.fixture.ts";

const wires: Wire[] = [];
const sessions: WireSession[] = [];

async function wire(options?: WireOptions): Promise<Wire> {
  const made = await openWire(options);
  wires.push(made);
  return made;
}
async function linked(options?: WireOptions): Promise<Wire> {
  const made = await wire(options);
  await link(made);
  return made;
}
async function open(on: Wire, account = on.account): Promise<WireSession> {
  const session = await opened(on, account);
  sessions.push(session);
  return session;
}
const ann = (on: Wire) => on.fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
const texts = (session: WireSession) => session.messages.map((message) => message.text);
const say = (chatId: string, text: string): OutboundPart => ({
  target: { chatId, kind: chatId.endsWith("@g.us") ? "group" : "direct" },
  content: { type: "text", body: { text, plain: text } },
});
const never = new AbortController().signal;

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  for (const one of wires.splice(0)) await one.close();
});

test("whenever the process is killed, the keys on disk are the keys the other side knows", async () => {
  const on = await linked();
  const person = await ann(on);
  const group = await on.fake.phone.createGroup({ subject: "Family", members: [person.pn] });
  const random = seededRandom(Number(process.env.SEED));
  /** Rows a killed process leaves, as the inbox would hold them. */
  const stored = new Set<string>();
  let account = on.account;
  for (let kill = 0; kill < 150; kill++) {
    const session = await open(on, account);
    const rows = new Set<string>();
    session.store = (batch) => {
      for (const message of batch.messages) rows.add(message.platformId);
      return Promise.resolve();
    };
    const target = kill % 2 === 0 ? person.number : group;
    for (const n of [0, 1]) void account.send(say(target, `out ${kill}.${n}`), { signal: never });
    await on.fake.phone.sendText(person.pn, `in ${kill}`, kill % 3 === 0 ? { group } : {});
    for (let turns = Math.floor(random() * 60); turns > 0; turns--) await new Promise((next) => setImmediate(next));
    const after = on.killed();
    for (const row of [...rows, ...session.messages.map((message) => message.platformId)]) stored.add(row);
    await session.close();
    account = after;
  }
  const session = await open(on, account);
  await on.fake.phone.sendText(person.pn, "still readable");
  await until("it", () => texts(session).includes("still readable"));
  expect((await account.send(say(group, "to all"), { signal: never })).state).toBe("sent");
  for (const message of session.messages) stored.add(message.platformId);
  const { outbound, inbound } = await on.fake.ledger();
  expect(outbound.length).toBeGreaterThan(6);
  expect(outbound.filter((message) => message.readers.length === 0)).toEqual([]);
  expect(inbound.filter((message) => message.refusals.length > 0)).toEqual([]);
  const people = inbound.filter((message) => message.from === person.pn);
  expect(people.filter((message) => ![...stored].some((row) => row.endsWith(`:${message.id}`)))).toEqual([]);
}, 300_000);

