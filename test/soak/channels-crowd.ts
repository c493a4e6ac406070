/** People who write numbered messages, one crowd per platform, and what the platform saw of it. A message reads `message #n.`
 *  and the model answers `answer #n!`, or nothing where `silent`. */
import type { FakeTelegram } from "../fakes/telegram/index.ts";
import type { FakeWhatsApp } from "../fakes/whatsapp/index.ts";

export interface Numbered {
  n: number;
  platform: "telegram" | "whatsapp";
  /** As the platform names it in its ledger. */
  chat: string;
  /** Nothing is said back. */
  silent: boolean;
}

/** A message in a chat, by the gateway. Platforms show a message id once, however often it came. */
export interface Said {
  chat: string;
  id: string;
  text: string;
  at: number;
}

/** What one platform knows at the end. */
export interface PlatformLedger {
  /** Numbers of messages the platform may forget. */
  acknowledged: ReadonlySet<number>;
  /** In order. */
  said: readonly Said[];
  /** Broken rules that only this platform can see. */
  violations: readonly string[];
}

export interface Crowd {
  platform: Numbered["platform"];
  /** A message of one of its people. */
  say(n: number, person: number): Promise<string>;
  ledger(): Promise<PlatformLedger>;
}

export const messageOf = (n: number): string => `message #${n}.`;
export const answerOf = (n: number): string => `answer #${n}!`;
export const numbersOf = (text: string): number[] =>
  [...text.matchAll(/\bmessage #(\d+)\./gu)].map(([, n]) => Number(n));
export const answered = (text: string): number | undefined => {
  const found = /^answer #(\d+)!$/u.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
};

export function telegramCrowd(fake: FakeTelegram, people: number): Crowd {
  const byUpdate = new Map<number, number>();
  return {
    platform: "telegram",
    say(n, person) {
      const chat = 5_000 + (person % people);
      const { updateId } = fake.chats.message(fake.bot, chat, { text: messageOf(n) });
      byUpdate.set(updateId, n);
      return Promise.resolve(String(chat));
    },
    ledger() {
      const confirmed = fake.bot.ledger.filter((fate) => fate.confirmed).map(({ updateId }) => byUpdate.get(updateId));
      return Promise.resolve({
        acknowledged: new Set(confirmed.filter((n) => n !== undefined)),
        said: fake.chats.sent.map(({ chatId, messageId, text, at }) => ({
          chat: chatId,
          id: String(messageId),
          text,
          at,
        })),
        violations: [],
      });
    },
  };
}

export async function whatsappCrowd(fake: FakeWhatsApp, people: number): Promise<Crowd> {
  const persons = await Promise.all(
    Array.from({ length: people }, (_, i) => fake.phone.addContact({ pn: `+49151${String(10_000_000 + i)}` })),
  );
  const group = await fake.phone.createGroup({ subject: "Everybody", members: persons.map(({ pn }) => pn) });
  const byId = new Map<string, number>();
  return {
    platform: "whatsapp",
    async say(n, index) {
      const person = persons[index % people];
      if (!person) throw new Error("a crowd of nobody");
      // Now and then to all of them, whose devices keep keys of their own for that.
      const toAll = Math.floor(index / people) % 4 === 0;
      byId.set(await fake.phone.sendText(person.pn, messageOf(n), toAll ? { group } : {}), n);
      return toAll ? group : person.pn;
    },
    async ledger() {
      const ledger = await fake.ledger();
      const violations: string[] = [];
      const ours = ledger.inbound.filter(({ id }) => byId.has(id));
      for (const { id, pending } of ours)
        if (pending) violations.push(`whatsapp #${byId.get(id)}: still waits on the platform`);
      for (const { id, contact } of ledger.keysReused) violations.push(`whatsapp: ${id} used a key twice (${contact})`);
      for (const { id, unreadable } of ledger.outbound)
        if (unreadable.length > 0) violations.push(`whatsapp: ${id} could not be read by ${unreadable.join(", ")}`);
      for (const { id, receipts, refusals } of ours) {
        if (refusals.length > 0) violations.push(`whatsapp #${byId.get(id)}: refused (${refusals[0]?.error})`);
        if (receipts.some(({ type }) => type === "retry"))
          violations.push(`whatsapp #${byId.get(id)}: asked for again`);
      }
      const taken = ours.filter(({ acknowledged }) => acknowledged).map(({ id }) => byId.get(id));
      return {
        acknowledged: new Set(taken.filter((n) => n !== undefined)),
        said: ledger.outbound.map(({ chat, id, text = "", at }) => ({ chat, id, text, at })),
        violations,
      };
    },
  };
}
