/** What every channel has to do, whatever its platform: run for each of them against a platform that the test controls
 *  (architecture §9). A new channel passes this before anything else is written about it. */
import { afterEach, describe, expect, test } from "vitest";
import type { ChannelAccount, ChannelEntry, ConnectionEnd, ConnectionEvents, Target } from "./channel.ts";
import type { InboundBatch, InboundMessage } from "./inbound.ts";

/** The platform under the test's control, and an account on it. */
export interface Platform {
  entry: ChannelEntry;
  account: ChannelAccount;
  /** A person writes to the account. Resolves when the platform has it. */
  write(text: string): Promise<void>;
  /** Texts the platform delivered to that person, in order. */
  delivered(): string[];
  /** Where that person is. */
  person: Target;
  /** Spellings of that person a user might type. */
  spellings: readonly string[];
  close(): Promise<void>;
}

const patienceMs = 8_000;

async function until(what: string, met: () => boolean): Promise<void> {
  const began = performance.now();
  while (!met()) {
    if (performance.now() - began > patienceMs) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A connection and what it said. */
class Session {
  readonly received: InboundMessage[] = [];
  readonly batches: InboundBatch[] = [];
  opened = false;
  /** Calls after the end. */
  late = 0;
  ended: ConnectionEnd | undefined;
  readonly done: Promise<ConnectionEnd>;
  readonly #stop = new AbortController();

  constructor(
    account: ChannelAccount,
    options: { receive?: (batch: InboundBatch) => Promise<void>; cursor?: ConnectionEvents["cursor"] } = {},
  ) {
    const note = () => {
      if (this.ended) this.late++;
    };
    this.done = account.connect(
      {
        receive: async (batch) => {
          note();
          await options.receive?.(batch);
          this.batches.push(batch);
          this.received.push(...batch.messages);
        },
        room: () => Promise.resolve(),
        cursor: options.cursor ?? (() => undefined),
        stored: (_ownId, platformId) => this.received.some((message) => message.platformId === platformId),
        opened: () => {
          note();
          this.opened = true;
        },
        activity: note,
        note,
        confirmed: note,
      },
      this.#stop.signal,
    );
    void this.done.then((end) => {
      this.ended = end;
    });
  }

  async open(): Promise<this> {
    await until("the connection opens", () => this.opened || this.ended !== undefined);
    expect(this.ended).toBeUndefined();
    return this;
  }

  async close(): Promise<ConnectionEnd> {
    this.#stop.abort();
    return this.done;
  }
}

export function channelContract(name: string, start: () => Promise<Platform>): void {
  describe(`the channel contract: ${name}`, () => {
    const open: Platform[] = [];
    const sessions: Session[] = [];
    const platform = async () => {
      const made = await start();
      open.push(made);
      return made;
    };
    const session = (account: ChannelAccount, options?: ConstructorParameters<typeof Session>[1]) => {
      const made = new Session(account, options);
      sessions.push(made);
      return made;
    };
    afterEach(async () => {
      for (const one of sessions.splice(0)) await one.close();
      for (const one of open.splice(0)) await one.close();
    });
    const text = (words: string, { entry, person }: Platform) => {
      const [body] = entry.render(words, { limit: 4_000, chunkMode: "length", tables: "bullets" });
      if (!body) throw new Error("nothing was rendered");
      return { target: person, content: { type: "text" as const, body } };
    };

    test("targets are read in every spelling, and nonsense is refused with the accepted forms", async () => {
      const { entry, person, spellings } = await platform();
      for (const spelling of spellings)
        expect(entry.parseTarget(spelling), spelling).toMatchObject({ chatId: person.chatId, kind: person.kind });
      for (const nonsense of ["", "   ", "?!", "a b c d e f\u0000"])
        expect(() => entry.parseTarget(nonsense), JSON.stringify(nonsense)).toThrow(/[a-z]{4}/u);
    });

    test("a sender's id is normalised once and for all", async () => {
      const { entry, spellings } = await platform();
      for (const spelling of spellings) {
        const once = entry.normalizeSender(spelling);
        expect(entry.normalizeSender(once)).toBe(once);
      }
    });

    test("texts are cut within the limit, never inside a character, and nothing is lost", async () => {
      const { entry } = await platform();
      const options = { limit: 50, chunkMode: "length" as const, tables: "bullets" as const };
      expect(entry.render("", options)).toEqual([]);
      const words = Array.from({ length: 120 }, (_, n) => `w${n}😀`);
      const parts = entry.render(words.join(" "), options);
      expect(parts.length).toBeGreaterThan(5);
      for (const part of parts) {
        expect(part.plain.length).toBeLessThanOrEqual(50);
        expect(part.plain.isWellFormed()).toBe(true);
      }
      const said = parts.map(({ plain }) => plain).join(" ");
      for (const word of words) expect(said).toContain(word);
    });

    test("it opens, and ends within two seconds when told to, and is silent afterwards", async () => {
      const made = await platform();
      expect(made.account.linked()).toBe(true);
      const one = await session(made.account).open();
      const began = performance.now();
      expect(await one.close()).toEqual({ kind: "aborted" });
      expect(performance.now() - began).toBeLessThan(2_000);
      await made.write("nobody listens");
      expect(one.late).toBe(0);
      expect(one.received).toEqual([]);
    });

    test("messages arrive once and in order", async () => {
      const made = await platform();
      const one = await session(made.account).open();
      for (let n = 1; n <= 5; n++) await made.write(`message ${n}`);
      await until("five messages", () => one.received.length >= 5);
      expect(one.received.map((message) => message.text)).toEqual([1, 2, 3, 4, 5].map((n) => `message ${n}`));
      expect(new Set(one.received.map((message) => message.platformId)).size).toBe(5);
      expect(one.received[0]).toMatchObject({ chat: { kind: "direct", id: made.person.chatId } });
      expect(made.entry.normalizeSender(one.received[0]?.sender.id ?? "")).toBe(one.received[0]?.sender.id);
      expect(JSON.parse(JSON.stringify(one.received)), "plain JSON").toEqual(one.received);
    });

    test("a message that could not be stored comes again on the next connection", async () => {
      const made = await platform();
      const one = await session(made.account, { receive: () => Promise.reject(new Error("disk full")) }).open();
      await made.write("remember me");
      await until("the attempt ends", () => one.ended !== undefined);
      expect(one.ended?.kind).toBe("retry");
      const two = await session(made.account).open();
      await until("the message", () => two.received.length > 0);
      expect(two.received.map((message) => message.text)).toEqual(["remember me"]);
    });

    test("a text is sent and has an id", async () => {
      const made = await platform();
      await session(made.account).open();
      const clientMsgId = made.account.newMessageId?.();
      const signal = new AbortController().signal;
      const outcome = await made.account.send(text("hello there", made), {
        signal,
        ...(clientMsgId ? { clientMsgId } : {}),
      });
      expect(outcome).toMatchObject({ state: "sent", messageId: expect.stringMatching(/./u) });
      await until("the delivery", () => made.delivered().length > 0);
      expect(made.delivered()).toEqual(["hello there"]);
    });

    test("the same message id delivers once", async () => {
      const made = await platform();
      expect(made.entry.capabilities.clientMessageIds).toBe(made.account.newMessageId !== undefined);
      const clientMsgId = made.account.newMessageId?.();
      if (clientMsgId === undefined) return;
      await session(made.account).open();
      const signal = new AbortController().signal;
      for (let n = 0; n < 2; n++) await made.account.send(text("only once", made), { clientMsgId, signal });
      await made.account.send(text("the end", made), { clientMsgId: made.account.newMessageId?.() ?? "", signal });
      await until("the deliveries", () => made.delivered().includes("the end"));
      expect(made.delivered()).toEqual(["only once", "the end"]);
    });

    test("without a connection nothing is sent, and it says so", async () => {
      const made = await platform();
      if (!made.entry.capabilities.login) return;
      const outcome = await made.account.send(text("too early", made), { signal: new AbortController().signal });
      expect(outcome.state).toBe("retry");
      expect(made.delivered()).toEqual([]);
    });

    test("typing never fails, and a probe answers without touching the connection", async () => {
      const made = await platform();
      const one = await session(made.account).open();
      await made.account.typing(made.person, true);
      await made.account.typing(made.person, false);
      expect(await made.account.probe(2_000)).toMatchObject({ ok: true, elapsedMs: expect.any(Number) });
      await made.write("still there?");
      await until("the message", () => one.received.length > 0);
      expect(one.ended).toBeUndefined();
    });

    test("what it says it can do it has a method for, and no other", async () => {
      const { entry, account } = await platform();
      const { reactions, edit, delete: canDelete, login, clientMessageIds } = entry.capabilities;
      const has = (name: "react" | "edit" | "delete" | "logout" | "newMessageId") => account[name] !== undefined;
      expect({
        reactions: has("react"),
        edit: has("edit"),
        delete: has("delete"),
        login: has("logout"),
        clientMessageIds: has("newMessageId"),
      }).toEqual({ reactions, edit, delete: canDelete, login, clientMessageIds });
    });

    test("it has names, a guide, a word for ids and limits", async () => {
      const { entry } = await platform();
      expect(entry.id).toMatch(/^[a-z][a-z-]*$/u);
      expect(entry.docs).toBe(`docs/channels/${entry.id}.md`);
      for (const word of [entry.label, entry.idLabel]) expect(word.trim()).not.toBe("");
      expect(entry.captionLimit).toBeGreaterThan(0);
      expect(entry.accounts({}, {})).toBeInstanceOf(Array);
    });
  });
}
