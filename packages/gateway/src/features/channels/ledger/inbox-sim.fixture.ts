/** SIM of the inbox: a platform that redelivers whatever was not acknowledged, a pipeline that moves rows at random, and
 *  processes that die at the crash points. Looks at I1, I4 and I5 after every step, and at the counters. */
import { fakeWorld } from "../../../kernel/fake-world.ts";
import { silentLogger } from "../../../kernel/log.ts";
import type { InboundState } from "../inbound.ts";
import { inboundPhases, isOpen } from "./inbound-state.ts";
import { Inbox, type RunEnding } from "./inbox.ts";
import { inboundMessage, memoryStore, mortal, settle } from "./ledger.fixture.ts";

const points = ["inbound.before-commit", "inbound.after-commit", "store.commit.before", "store.commit.after"];
const endings: RunEnding[] = ["answered", "silent", "noticed", "dropped", "quarantined"];

export class InboxSim {
  readonly violations: string[] = [];
  crashes = 0;
  readonly #random: () => number;
  readonly #world;
  readonly #disk;
  /** Acknowledged by us: the platform has forgotten everything below. */
  #acknowledged = 0;
  #published = 0;
  readonly #ended = new Map<number, string>();
  readonly #handedOut = new Set<string>();
  #armed: string | undefined;
  #process!: { dead: boolean; kill: () => void; inbox: Inbox; store: ReturnType<typeof mortal>["store"] };

  constructor(random: () => number) {
    this.#random = random;
    this.#world = fakeWorld({ mark: (name) => this.#mark(name) });
    this.#disk = memoryStore(this.#world);
    this.#begin();
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps && this.violations.length === 0; step++) {
      await this.#act();
      await settle(2);
      if (this.#process.dead) this.#begin();
      this.#look();
    }
    this.#disk.close();
  }

  #begin(): void {
    const { store, kill } = mortal(this.#disk);
    const inbox = new Inbox({ store, world: this.#world, log: silentLogger });
    this.#process = { dead: false, kill, inbox, store };
    // What a dead process was given is found again by the replay.
    this.#handedOut.clear();
    for (const { message } of inbox.open(0, 256)) this.#handedOut.add(message.platformId);
  }

  #mark(name: string): void {
    if (this.#armed !== name) return;
    this.#armed = undefined;
    this.crashes++;
    this.#process.dead = true;
    this.#process.kill();
    if (name !== "store.commit.after" && name !== "inbound.after-commit") throw new Error("killed");
  }

  async #act(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.1) this.#armed = points[Math.floor(this.#random() * points.length)];
    else if (dice < 0.5) this.#deliver();
    else this.#handle();
  }

  /** A long poll: everything after the acknowledged id, and sometimes an old one again. */
  #deliver(): void {
    this.#published += Math.floor(this.#random() * 4);
    const ids: number[] = [];
    for (let id = this.#acknowledged + 1; id <= this.#published; id++) ids.push(id);
    if (this.#random() < 0.3 && this.#published > 0) ids.push(1 + Math.floor(this.#random() * this.#published));
    const process = this.#process;
    const upTo = this.#published;
    const messages = ids.map((id) => inboundMessage(String(id)));
    process.inbox.receive("fake", "default", { ownId: "me", messages, cursor: String(upTo) }).then(
      (rows) => {
        if (process.dead) return;
        for (const { message } of rows) this.#handedOut.add(message.platformId);
        this.#acknowledged = Math.max(this.#acknowledged, upTo);
      },
      () => {
        // Not stored, so not acknowledged: the platform delivers it again.
      },
    );
  }

  /** Moves some rows, mostly as listed. */
  #handle(): void {
    const { store, inbox } = this.#process;
    const id = 1 + Math.floor(this.#random() * Math.max(1, this.#published));
    const run = 1 + Math.floor(this.#random() * 5);
    const dice = this.#random();
    const states = inboundPhases.filter((phase): phase is InboundState => phase !== "running");
    store
      .commit((tx) => {
        if (dice < 0.3) inbox.endRun(tx, run, endings[Math.floor(this.#random() * endings.length)] ?? "silent");
        else if (dice < 0.7) inbox.move(tx, id, "waiting", this.#random() < 0.7 ? { runRowId: run } : {});
        else inbox.move(tx, id, states[Math.floor(this.#random() * states.length)] ?? "ignored", { reason: "policy" });
      })
      .catch(() => {
        // The transaction died with the process.
      });
  }

  #look(): void {
    const rows = this.#disk.all<{ id: number; platformId: string; state: InboundState; endedAt: number | null }>(
      "SELECT id, platform_id AS platformId, state, ended_at AS endedAt FROM inbound ORDER BY id",
    );
    const stored = new Set(rows.map(({ platformId }) => Number(platformId)));
    const cursor = Number(this.#process.inbox.cursor("fake", "default", "me")?.value ?? 0);
    for (let id = 1; id <= Math.max(cursor, this.#acknowledged); id++)
      if (!stored.has(id)) this.violations.push(`I1: ${id} is below the cursor and not stored`);
    if (stored.size !== rows.length) this.violations.push("I5: an id is stored twice");
    for (const { id, platformId, state, endedAt } of rows) {
      if (isOpen(state) !== (endedAt === null)) this.violations.push(`I4: ${id} is ${state} and ended at ${endedAt}`);
      const before = this.#ended.get(id);
      if (before !== undefined && before !== state) this.violations.push(`I4: ${id} was ${before} and became ${state}`);
      if (!isOpen(state)) this.#ended.set(id, state);
      else if (!this.#handedOut.has(platformId)) this.violations.push(`lost: nobody was given ${platformId}`);
    }
    this.#lookAtCounts(rows.filter(({ state }) => isOpen(state)).length);
  }

  #lookAtCounts(open: number): void {
    const counts = this.#process.inbox.counts("fake", "default");
    const { received = 0, handled = 0, pending = 0, ...skipped } = counts;
    const sum = Object.values(skipped).reduce((all, n) => all + n, handled + pending);
    if (pending !== open) this.violations.push(`R-IN-3: ${open} rows are open, ${pending} are counted`);
    if (received !== sum) this.violations.push(`R-IN-3: ${received} received, ${sum} accounted for`);
  }
}
