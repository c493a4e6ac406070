/** SIM of the outbox (reliability.md §4.2): one platform that outlives the gateway, processes that die at any commit or crash
 *  point, faults drawn from a seed, virtual time. The judge knows only what callers were told and what reached the platform;
 *  the invariants O1 to O6 are looked at after every step. */
import { GatewayError } from "@openclaw/protocol";
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import type { OutboxKind, OutboxState } from "../outbound.ts";
import type { SendAnswer } from "./answer.ts";
import { memoryStore, mortal, part, settle, textOfPart } from "./ledger.fixture.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxRequest } from "./request.ts";
import { simBudget, SimPlatform } from "./sim-platform.fixture.ts";

const chats = ["ann", "bob", "cat", "group-1", "group-2"];
const points = ["outbox.after-attempting", "outbox.after-provider", "store.commit.before", "store.commit.after"];
const hour = 3_600_000;

interface Told {
  request: OutboxRequest;
  /** Last final answer, as text. */
  answer?: string;
  verdict?: "sent" | "nothing" | "unknown";
}

interface Row {
  id: number;
  text: string;
  state: OutboxState;
  chat: string;
  expires: number;
  provider: string | null;
}

export class OutboxSim {
  readonly violations: string[] = [];
  crashes = 0;
  readonly #random: () => number;
  readonly #clientMessageIds: boolean;
  readonly #world;
  readonly #disk;
  readonly #platform: SimPlatform;
  readonly #told = new Map<string, Told>();
  readonly #events = new Map<string, number>();
  /** Texts whose row was ever seen as failed. */
  readonly #failed = new Set<string>();
  #read: { generation: number; rows: readonly Row[] } = { generation: -1, rows: [] };
  #armed: { point: string; nth: number } | undefined;
  #process = { dead: true, kill: () => {}, outbox: undefined as Outbox | undefined, generation: 0 };
  #open = false;
  #ids = 0;
  #serial = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#clientMessageIds = random() < 0.5;
    this.#world = fakeWorld({
      mark: (name) => this.#mark(name),
      randomBytes: (size) => Buffer.alloc(size, random() * 256),
    });
    this.#disk = memoryStore(this.#world);
    this.#platform = new SimPlatform({
      random,
      world: this.#world,
      allows: (text) => this.#allows(text),
      complain: (rule, about) => this.#complain(rule, about),
    });
  }

  async run(steps: number): Promise<void> {
    await this.#begin();
    for (let step = 0; step < steps && this.violations.length === 0; step++) {
      await this.#act();
      if (this.#process.dead) await this.#begin();
      this.#look();
    }
    if (this.violations.length === 0) await this.#rest();
    this.#process.kill();
    this.#disk.close();
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.#random() * list.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  #complain(rule: string, text: string): void {
    this.violations.push(`${rule}: ${text}`);
  }

  #mark(name: string): void {
    if (this.#armed?.point !== name || --this.#armed.nth > 0) return;
    this.#armed = undefined;
    this.#crash();
    if (name === "store.commit.before") throw new Error("killed");
  }

  #crash(): void {
    if (!this.#process.dead) this.crashes++;
    this.#process.kill();
  }

  async #begin(): Promise<void> {
    await settle(3);
    const { store, kill } = mortal(this.#disk);
    const generation = this.#process.generation + 1;
    const process = { dead: false, kill: () => {}, outbox: undefined as Outbox | undefined, generation };
    process.kill = () => {
      process.dead = true;
      kill();
    };
    const world = {
      ...this.#world,
      now: () => Math.floor(this.#world.now()),
      // Timers of a dead process never fire.
      after: (ms: number, run: () => void) => this.#world.after(ms, () => void (process.dead || run())),
      every: (ms: number, run: () => void) => this.#world.every(ms, () => void (process.dead || run())),
    };
    process.outbox = new Outbox({
      store,
      world,
      log: silentLogger,
      account: () => ({
        state: this.#open ? "open" : "connecting",
        open: this.#open,
        budget: simBudget,
        clientMessageIds: this.#clientMessageIds,
        newMessageId: () => `C${++this.#ids}`,
        send: (part, attempt) =>
          process.dead ? new Promise(() => {}) : this.#platform.receive(process, part, attempt.clientMsgId),
      }),
      systemEvent: (sessionKey, text) => {
        if (process.dead || text.includes("held")) return;
        // Unknown parts are told one by one, failed ones together.
        const about = `${sessionKey} ${text.includes("may or may not") ? text : "failed"}`;
        this.#events.set(about, (this.#events.get(about) ?? 0) + 1);
      },
    });
    this.#process = process;
    this.#platform.forget();
    await Promise.race([process.outbox.start(), this.#died(process)]);
    if (process.dead) return this.#begin();
    if (this.#open) process.outbox.opened("fake", "default");
  }

  async #died(process: { dead: boolean }): Promise<void> {
    while (!process.dead) await settle(1);
  }

  /** A part may leave only while its row is `attempting` and its account open, and never after it has failed. */
  #allows(text: string): void {
    const row = this.#rows().find((row) => row.text === text);
    if (row?.state !== "attempting") this.#complain("O5", `${text} left while its row was ${row?.state}`);
    if (!this.#open) this.#complain("A4", `${text} left while the account was closed`);
    if (this.#failed.has(text)) this.#complain("O3", `${text} left after it had failed`);
  }

  // ---- actions

  async #act(): Promise<void> {
    const dice = this.#random();
    const outbox = this.#process.outbox;
    if (!outbox) return;
    if (dice < 0.25) this.#insert(outbox);
    else if (dice < 0.42) this.#submit(outbox);
    else if (dice < 0.5) this.#again(outbox);
    else if (dice < 0.56) this.#connect(outbox, !this.#open);
    else if (dice < 0.6) this.#armed = { point: this.#pick(points), nth: 1 + Math.floor(this.#random() * 5) };
    else if (dice < 0.63) {
      for (let tick = Math.floor(this.#random() * 20); tick > 0; tick--) await Promise.resolve();
      this.#crash();
    } else if (dice < 0.65) {
      await Promise.race([this.#pass(3_000, 10), outbox.stop(1_000)]);
      await settle(4);
      this.#process.kill();
    } else if (dice < 0.67) this.#receipt(outbox);
    else if (dice < 0.68) this.#world.clock.shiftWall(this.#random() * 2 * hour);
    else await this.#pass(10 + this.#random() ** 3 * 30_000, 3);
    await settle(1 + Math.floor(this.#random() * 4));
  }

  #connect(outbox: Outbox, open: boolean): void {
    this.#open = open;
    if (open) outbox.opened("fake", "default");
    else outbox.closed("fake", "default");
  }

  async #pass(ms: number, slices: number): Promise<void> {
    for (let slice = 0; slice < slices && !this.#process.dead; slice++) {
      await this.#world.clock.advance(ms / slices);
      await settle(3);
    }
  }

  #request(kind: OutboxKind): OutboxRequest {
    const serial = ++this.#serial;
    const chatId = this.#pick(chats);
    const count = this.#random() < 0.5 ? 1 : 1 + Math.floor(this.#random() * 4);
    const chatKind = chatId.startsWith("group") ? "group" : "direct";
    return {
      key: `key-${serial}`,
      family: "send",
      principal: "shared",
      channel: "fake",
      accountId: "default",
      kind,
      parts: Array.from({ length: count }, (_, at) => part(`${serial}.${at}`, chatId, chatKind)),
      sessionKey: `session-${serial}`,
      ...(this.#random() < 0.3 ? { lifetimeMs: Math.round(this.#random() * 20_000) } : {}),
    };
  }

  #insert(outbox: Outbox): void {
    const request = this.#request(this.#pick(["reply", "notice", "heartbeat"]));
    // A store that dies with the process leaves the row out, or in: both are fine.
    mortalCommit(this.#process, this.#disk, (tx) => outbox.insert(tx, request));
  }

  #submit(outbox: Outbox): void {
    const request = this.#request("send");
    this.#told.set(request.key, { request });
    this.#ask(outbox, request);
  }

  /** The same key again: as before, with another request, or by somebody else. */
  #again(outbox: Outbox): void {
    if (this.#told.size === 0) return;
    const { request } = this.#pick([...this.#told.values()]);
    const dice = this.#random();
    if (dice < 0.7) return this.#ask(outbox, request);
    const other: OutboxRequest =
      dice < 0.85 ? { ...request, principal: "other" } : { ...request, parts: [part(`other ${request.key}`, "ann")] };
    const known = this.#disk.get("SELECT 1 FROM outbox WHERE key = ?", request.key) !== undefined;
    const { generation } = this.#process;
    if (!known) return;
    outbox.submit(other, { signal: new AbortController().signal, waitForConnectionMs: 0 }).then(
      () => this.#complain("key", `${request.key} was taken for another request`),
      (error: unknown) => {
        const code = error instanceof GatewayError ? error.details?.["code"] : String(error);
        if (generation === this.#process.generation && !String(code).startsWith("IDEMPOTENCY_KEY"))
          this.#complain("key", `${request.key} was refused as ${String(code)}`);
      },
    );
  }

  #ask(outbox: Outbox, request: OutboxRequest): void {
    const process = this.#process;
    const leaving = new AbortController();
    if (this.#random() < 0.2) this.#world.after(this.#random() * 10_000, () => leaving.abort());
    outbox.submit(request, { signal: leaving.signal, waitForConnectionMs: 5_000 }).then(
      (answer) => void (process.dead || this.#answered(request, answer)),
      (error: unknown) => void (process.dead || this.#refused(request, error)),
    );
  }

  #answered(request: OutboxRequest, answer: SendAnswer): void {
    const told = this.#told.get(request.key);
    if (!told) return;
    for (const one of request.parts)
      if (!this.#platform.deliveries.some(({ text }) => text === textOfPart(one)))
        this.#complain("C3", `${textOfPart(one)} was answered as sent and did not arrive`);
    // A receipt may turn unknown into sent; nothing else may change.
    if (told.answer !== undefined && told.verdict !== "unknown" && told.answer !== JSON.stringify(answer))
      this.#complain("C5", `${request.key} was answered differently`);
    told.answer = JSON.stringify(answer);
    told.verdict = "sent";
  }

  #refused(request: OutboxRequest, error: unknown): void {
    const told = this.#told.get(request.key);
    if (!told || !(error instanceof GatewayError)) return this.#complain("error", String(error));
    const { code, reason } = error.details ?? {};
    // Nothing was stored, or the caller left: no answer of the key.
    if (code === undefined || code === "NOT_CONNECTED" || (code === "OUTCOME_UNKNOWN" && reason === undefined)) return;
    if (told.verdict === "sent") this.#complain("C5", `${request.key} was answered as sent, then ${String(code)}`);
    const answer = `${error.kind} ${error.message}`;
    if (told.verdict === "nothing" && told.answer !== answer) this.#complain("C5", `${request.key} changed its answer`);
    told.answer = answer;
    told.verdict = code === "OUTCOME_UNKNOWN" ? "unknown" : "nothing";
  }

  #receipt(outbox: Outbox): void {
    if (!this.#clientMessageIds || this.#platform.deliveries.length === 0) return;
    const delivery = this.#pick(this.#platform.deliveries);
    outbox.confirmed("fake", "default", delivery.clientMsgId ?? "", `P${this.#platform.deliveries.indexOf(delivery)}`);
  }

  // ---- the judge

  #rows(): readonly Row[] {
    const { generation } = this.#disk;
    if (this.#read.generation !== generation) this.#read = { generation, rows: this.#readRows() };
    return this.#read.rows;
  }

  #readRows(): Row[] {
    return this.#disk.all<Row & Record<string, string | number | null>>(
      `SELECT id, json_extract(payload, '$.content.body.text') AS text, state, chat_id AS chat, expires_at AS expires,
         provider_msg_id AS provider FROM outbox ORDER BY id`,
    );
  }

  #look(): void {
    const rows = this.#rows();
    const ids = new Map(rows.map((row) => [row.text, row.id]));
    const arrived = new Set(this.#platform.deliveries.map(({ text }) => text));
    for (const row of rows) {
      if (row.state === "sent" && row.provider === null) this.#complain("O1", `${row.text} was sent without an id`);
      if (row.state === "sent" && !arrived.has(row.text)) this.#complain("O1", `${row.text} was not sent`);
      if (row.state === "failed") this.#failed.add(row.text);
      if (row.state === "failed" && arrived.has(row.text)) this.#complain("O3", `${row.text} failed and arrived`);
    }
    const failed = new Set(rows.filter(({ state }) => state === "failed").map(({ text }) => text));
    for (const { text } of this.#platform.deliveries) {
      const [message = "", at = "0"] = text.split(".");
      for (let before = 0; before < Number(at); before++)
        if (failed.has(`${message}.${before}`))
          this.#complain("R-OUT-6", `${text} arrived after an earlier part had failed`);
    }
    const newest = new Map<string, number>();
    for (const { text, chatId } of this.#platform.deliveries) {
      const id = ids.get(text);
      if (id === undefined) continue;
      if (id < (newest.get(chatId) ?? 0)) this.#complain("O4", `${text} arrived too late`);
      newest.set(chatId, Math.max(id, newest.get(chatId) ?? 0));
    }
    for (const [key, { verdict, request }] of this.#told)
      if (verdict === "nothing" && request.parts.some((one) => arrived.has(textOfPart(one))))
        this.#complain("C4", `${key} was answered as not sent, and arrived`);
    for (const [session, count] of this.#events) if (count > 1) this.#complain("told", `${session} ${count} times`);
    if ((this.#process.outbox?.refused ?? 0) > 0) this.#complain("moves", "a move was refused");
  }

  /** No new faults: everything ends, nobody waits, no timer is left. */
  async #rest(): Promise<void> {
    this.#armed = undefined;
    this.#platform.calm = true;
    if (this.#process.outbox) this.#connect(this.#process.outbox, true);
    // What was on its way when the process died may still stand there: its 70 s and the longest lifetime pass.
    for (let slice = 0; slice < 80; slice++) {
      await this.#pass(60_000, 4);
      if (this.#process.outbox?.backlog().queued === 0 && slice > 2) break;
    }
    this.#look();
    const now = this.#world.now();
    for (const row of this.#rows()) {
      if (row.state !== "queued" && row.state !== "attempting") continue;
      this.#complain(row.expires + 60_000 < now ? "O6" : "M3", `${row.text} is still ${row.state}`);
    }
    await this.#process.outbox?.stop(1_000);
  }
}

type Process = { readonly dead: boolean };

function mortalCommit(
  process: Process,
  disk: ReturnType<typeof memoryStore>,
  unit: Parameters<typeof disk.commit>[0],
): void {
  disk
    .commit((tx) => {
      if (process.dead) throw new Error("killed");
      return unit({
        get: (sql, ...params) => tx.get(sql, ...params),
        all: (sql, ...params) => tx.all(sql, ...params),
        run: (sql, ...params) => tx.run(sql, ...params),
        afterCommit: (run) => tx.afterCommit(() => void (process.dead || run())),
      });
    })
    .catch(() => {
      // The transaction died with the process.
    });
}
