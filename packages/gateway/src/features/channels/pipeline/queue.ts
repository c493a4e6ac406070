/** Messages that wait because their session is busy (agent.md §8.4). A view of rows that are open in the store: what is lost here
 *  with the process comes back with the replay. */
import type { Timer, World } from "../../../kernel/world.ts";
import { passes } from "./ends.ts";

export type QueueMode = "collect" | "followup" | "steer" | "interrupt";

export interface QueueSettings {
  mode: QueueMode;
  debounceMs: number;
  cap: number;
  drop: "old" | "new" | "summarize";
}

export interface QueueItem {
  sessionKey: string;
  /** Grows with the order of arrival. */
  order: number;
  /** Items with the same text here may become one turn: same destination, same rights. */
  together: string;
  /** One line for the list of dropped messages. */
  preview: string;
  /** Resolves when its files are there. Never rejects. */
  prepared: Promise<unknown>;
}

export interface QueueHooks<Item> {
  settings(item: Item): QueueSettings;
  busy(sessionKey: string): boolean;
  held(): boolean;
  /** Called once all of them are prepared, just before `run` or `steer`: what is too large to be held while they wait. Must not
   *  reject. */
  load(items: readonly Item[]): Promise<void>;
  /** Starts one run for the items. Rejects when it could not be stored: the items then wait and are tried again. */
  run(items: readonly Item[], dropped: readonly string[]): Promise<void>;
  /** Gives the item to the active run. False when there is none that could take it, or it is not prepared yet. */
  steer(item: Item): boolean;
  /** Ends the active run. Resolves when that is durable. */
  interrupt(sessionKey: string): Promise<void>;
  /** Items that will not become a turn, with the reason their rows get. */
  drop(items: readonly Item[], reason: "queue-full" | "superseded"): void;
  /** Items no run can be made of. */
  giveUp(items: readonly Item[]): void;
}

interface Lane<Item> {
  items: Item[];
  /** Being turned into a run. */
  starting: Item[] | undefined;
  /** The agents room has them: a stop ends their run. */
  handed: boolean;
  /** Resolves when that is done, well or not. */
  begun: Promise<void> | undefined;
  /** Previews of dropped items, for the next prompt. */
  dropped: string[];
  /** How often in a row a run failed to begin for a reason that does not pass. */
  broken: number;
  lastAt: number;
  timer: Timer | undefined;
}

const retryMs = 5_000;
const maxBroken = 3;
const maxPreviews = 50;

export class Queues<Item extends QueueItem> {
  readonly #world: World;
  readonly #hooks: QueueHooks<Item>;
  readonly #lanes = new Map<string, Lane<Item>>();
  #stopped = false;

  constructor(world: World, hooks: QueueHooks<Item>) {
    this.#world = world;
    this.#hooks = hooks;
  }

  get size(): number {
    return this.#lanes.size;
  }

  /** Whether an item waits for its turn. */
  holds(item: Item): boolean {
    return this.#lanes.get(item.sessionKey)?.items.includes(item) ?? false;
  }

  /** Takes one more message of a session, in order. */
  push(item: Item): void {
    if (this.#stopped) return;
    const { sessionKey } = item;
    const lane = this.#laneOf(sessionKey);
    const active = lane.starting !== undefined || this.#hooks.busy(sessionKey);
    const first = !active && lane.items.length === 0;
    lane.lastAt = this.#world.monotonic();
    if (this.#hooks.held()) {
      this.#keep(lane, item);
    } else if (first) {
      lane.items.push(item);
      void this.#drain(sessionKey, lane);
    } else {
      this.#whenBusy(sessionKey, lane, item);
    }
  }

  /** Whether something of a session waits for its turn, or is about to begin. */
  isActive(sessionKey: string): boolean {
    const lane = this.#lanes.get(sessionKey);
    return lane !== undefined && (lane.starting !== undefined || lane.items.length > 0);
  }

  /** The session has nothing to run any more. */
  idle(sessionKey: string): void {
    const lane = this.#lanes.get(sessionKey);
    if (lane && !this.#stopped) this.#schedule(sessionKey, lane);
  }

  /** Nothing holds the queues any more. */
  release(): void {
    for (const [sessionKey, lane] of this.#lanes) this.#schedule(sessionKey, lane);
  }

  /** Takes everything out that has no run yet: stop, or with `begun: false` what does not begin right now, for a new session. */
  clear(sessionKey: string, { begun = true }: { begun?: boolean } = {}): Item[] {
    const lane = this.#lanes.get(sessionKey);
    if (!lane) return [];
    const taken = begun && !lane.handed;
    const items = [...(taken ? (lane.starting ?? []) : []), ...lane.items];
    if (taken) lane.starting = undefined;
    lane.items = [];
    lane.dropped = [];
    this.#tidy(sessionKey, lane);
    return items;
  }

  /** Resolves once what begins right now in a session stands in the lane of the agents room, or was taken back. */
  async begun(sessionKey: string): Promise<void> {
    await this.#lanes.get(sessionKey)?.begun;
  }

  stop(): void {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) lane.timer?.cancel();
    this.#lanes.clear();
  }

  #whenBusy(sessionKey: string, lane: Lane<Item>, item: Item): void {
    const { mode } = this.#hooks.settings(item);
    if (mode === "interrupt") {
      const older = lane.items.splice(0);
      // They are not answered, but the run of the newest reads that they were there.
      this.#remember(lane, older);
      if (older.length > 0) this.#hooks.drop(older, "superseded");
      lane.items.push(item);
      lane.lastAt = -Infinity;
      // The end of the run makes the session idle, and that starts what waits.
      void this.#hooks.interrupt(sessionKey).then(() => this.idle(sessionKey));
      return;
    }
    this.#keep(lane, item);
    if (mode === "steer") {
      void item.prepared.then(() => this.#hooks.load([item])).then(() => this.#steer(sessionKey, lane));
    } else if (!lane.starting && !this.#hooks.busy(sessionKey)) {
      this.#schedule(sessionKey, lane);
    }
  }

  /** In order: what waits in front of a message goes into the run before it. */
  #steer(sessionKey: string, lane: Lane<Item>): void {
    while (!this.#stopped && lane.starting === undefined && this.#hooks.busy(sessionKey)) {
      const [next] = lane.items;
      if (!next || !this.#hooks.steer(next)) return;
      lane.items.shift();
    }
    this.#tidy(sessionKey, lane);
  }

  /** A message the active run ended without reading takes its place in the queue again. */
  giveBack(item: Item): void {
    if (this.#stopped) return;
    const lane = this.#laneOf(item.sessionKey);
    const at = lane.items.findIndex(({ order }) => order > item.order);
    lane.items.splice(at < 0 ? lane.items.length : at, 0, item);
    this.#schedule(item.sessionKey, lane);
  }

  #keep(lane: Lane<Item>, item: Item): void {
    const { cap, drop } = this.#hooks.settings(item);
    if (lane.items.length < cap) {
      lane.items.push(item);
      return;
    }
    if (drop === "new") {
      this.#hooks.drop([item], "queue-full");
      return;
    }
    const oldest = lane.items.splice(0, lane.items.length - cap + 1);
    lane.items.push(item);
    if (drop === "summarize") this.#remember(lane, oldest);
    this.#hooks.drop(oldest, "queue-full");
  }

  #remember(lane: Lane<Item>, dropped: readonly Item[]): void {
    lane.dropped.push(...dropped.map(({ preview }) => preview));
    lane.dropped.splice(0, Math.max(0, lane.dropped.length - maxPreviews));
  }

  /** Runs what waits once no new message came for the quiet time. */
  #schedule(sessionKey: string, lane: Lane<Item>, atLeastMs = 0): void {
    lane.timer?.cancel();
    lane.timer = undefined;
    const newest = lane.items.at(-1);
    if (!newest) return this.#tidy(sessionKey, lane);
    const quietMs = lane.lastAt + this.#hooks.settings(newest).debounceMs - this.#world.monotonic();
    const waitMs = Math.max(atLeastMs, quietMs);
    if (waitMs > 0) lane.timer = this.#world.after(waitMs, () => void this.#drain(sessionKey, lane));
    else void this.#drain(sessionKey, lane);
  }

  async #drain(sessionKey: string, lane: Lane<Item>): Promise<void> {
    lane.timer?.cancel();
    lane.timer = undefined;
    if (this.#stopped || lane.starting || this.#hooks.held() || this.#hooks.busy(sessionKey)) return;
    const batch = this.#nextBatch(lane);
    if (batch.length === 0) return this.#tidy(sessionKey, lane);
    lane.starting = batch;
    const begun = Promise.withResolvers<void>();
    lane.begun = begun.promise;
    const { dropped } = lane;
    lane.dropped = [];
    await Promise.all(batch.map(({ prepared }) => prepared));
    await this.#hooks.load(batch);
    try {
      // A stop may have taken them away meanwhile.
      if (this.#stopped || lane.starting !== batch) return;
      lane.handed = true;
      await this.#hooks.run(batch, dropped);
      if (lane.starting === batch) lane.starting = undefined;
      lane.broken = 0;
      const newest = lane.items.at(-1);
      if (newest && this.#hooks.settings(newest).mode === "interrupt")
        void this.#hooks.interrupt(sessionKey).then(() => this.idle(sessionKey));
      if (!this.#hooks.busy(sessionKey)) this.#schedule(sessionKey, lane);
      else this.#tidy(sessionKey, lane);
    } catch (error) {
      // Said where it happened; the rows are open still.
      if (lane.starting !== batch) return;
      lane.starting = undefined;
      lane.dropped.unshift(...dropped);
      // A refusal passes; anything else is about the items themselves, and must not stand in the way of all others.
      if (!passes(error) && ++lane.broken >= maxBroken) {
        lane.broken = 0;
        this.#hooks.giveUp(batch);
      } else lane.items.unshift(...batch);
      this.#schedule(sessionKey, lane, retryMs);
    } finally {
      lane.handed = false;
      begun.resolve();
    }
  }

  #nextBatch(lane: Lane<Item>): Item[] {
    const [first] = lane.items;
    if (!first) return [];
    // One by one also when something among them is broken: the others are not to go with it.
    if (lane.broken > 0 || this.#hooks.settings(first).mode === "followup") return lane.items.splice(0, 1);
    const other = lane.items.findIndex(({ together }) => together !== first.together);
    return lane.items.splice(0, other < 0 ? lane.items.length : other);
  }

  #laneOf(sessionKey: string): Lane<Item> {
    let lane = this.#lanes.get(sessionKey);
    if (!lane) {
      lane = {
        items: [],
        starting: undefined,
        handed: false,
        begun: undefined,
        dropped: [],
        broken: 0,
        lastAt: 0,
        timer: undefined,
      };
      this.#lanes.set(sessionKey, lane);
    }
    return lane;
  }

  /** An empty lane uses no memory (L4). */
  #tidy(sessionKey: string, lane: Lane<Item>): void {
    if (lane.items.length > 0 || lane.starting || lane.dropped.length > 0) return;
    lane.timer?.cancel();
    if (this.#lanes.get(sessionKey) === lane) this.#lanes.delete(sessionKey);
  }
}
