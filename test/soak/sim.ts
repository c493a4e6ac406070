/** SIM (reliability.md §4.2): store, sessions and agents in one thread on a fake World, with a model and tools drawn from the
 *  seed. Messages, repeated keys, stops, clock jumps, restarts and crashes happen in between turns of the event loop, and at
 *  named crash points; after every turn the judge looks. The same seed gives the same run, event for event. */
import { createHash } from "node:crypto";
import { memoryStore } from "../../packages/gateway/src/features/agents/agents.fixture.ts";
import { fakeWorld } from "../../packages/gateway/src/kernel/fake-world.ts";
import { drawActions, type Action, type Message } from "./sim-actions.ts";
import { Judge } from "./sim-judge.ts";
import { SimProcess } from "./sim-process.ts";

export interface SimOptions {
  seed: number;
  seeds: number;
  /** Actions per seed. */
  actions?: number;
  /** No new seed is begun after this time. */
  budgetMs?: number;
  onViolation?: (text: string) => void;
}

export interface SimReport {
  programme: "sim";
  seed: number;
  /** Seeds played. */
  n: number;
  actions: number;
  messages: number;
  crashes: number;
  restarts: number;
  seedsPerSecond: number;
  violations: string[];
}

export interface Played {
  violations: string[];
  messages: number;
  crashes: number;
  restarts: number;
  /** Of everything that was seen, in order. */
  hash: string;
}

/** Timers of a gateway at rest: the sweeper of old runs. */
const restingTimers = 1;
const endSliceMs = 5_000;
const endBudgetMs = 24 * 3_600_000;
const maxShrinkRuns = 200;

export async function sim(options: SimOptions): Promise<SimReport> {
  const { seed, seeds, actions = 60, budgetMs = Infinity } = options;
  const began = performance.now();
  const report: SimReport = {
    programme: "sim",
    seed,
    n: 0,
    actions: 0,
    messages: 0,
    crashes: 0,
    restarts: 0,
    seedsPerSecond: 0,
    violations: [],
  };
  for (let at = 0; at < seeds && performance.now() - began < budgetMs && report.violations.length < 5; at++) {
    const one = seed + at;
    const list = drawActions(one, actions);
    const played = await play(one, list);
    report.n++;
    report.actions += list.length;
    report.messages += played.messages;
    report.crashes += played.crashes;
    report.restarts += played.restarts;
    if (at % 100 === 0 && (await play(one, list)).hash !== played.hash)
      report.violations.push(`seed ${one}: two runs of the same seed differ`);
    if (played.violations.length === 0) continue;
    report.violations.push(`seed ${one}: ${played.violations[0]}`);
    const shortest = await shrink(one, list, played.violations);
    options.onViolation?.(describe(one, shortest.actions, shortest.violations));
  }
  report.seedsPerSecond = Math.round((report.n * 10_000) / (performance.now() - began)) / 10;
  return report;
}

/** Drops actions while the same rule is still violated. */
async function shrink(
  seed: number,
  actions: readonly Action[],
  violations: readonly string[],
): Promise<{ actions: Action[]; violations: readonly string[] }> {
  const rule = ruleOf(violations);
  let best = { actions: [...actions], violations };
  let runs = 0;
  for (let size = Math.ceil(actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.actions.length && runs < maxShrinkRuns;) {
      const fewer = best.actions.filter((_, index) => index < from || index >= from + size);
      runs++;
      const played = await play(seed, fewer);
      if (played.violations.length > 0 && ruleOf(played.violations) === rule)
        best = { actions: fewer, violations: played.violations };
      else from += size;
    }
  }
  return best;
}

const ruleOf = (violations: readonly string[]): string => violations[0]?.split(":")[0] ?? "";

function describe(seed: number, actions: readonly Action[], violations: readonly string[]): string {
  return [
    `seed ${seed}, ${actions.length} actions:`,
    ...actions.map((action) => `  ${JSON.stringify(action)}`),
    ...violations.map((text) => `  => ${text}`),
  ].join("\n");
}

/** Plays one list of actions to the end and to rest. */
export async function play(seed: number, actions: readonly Action[]): Promise<Played> {
  return new Simulation(seed).run(actions);
}

class Simulation {
  readonly #seed: number;
  readonly #judge: Judge;
  readonly #disk;
  readonly #hash = createHash("sha256");
  readonly #asked = new Map<string, number>();
  #process: SimProcess;
  #processes = 0;
  #ids = 0;
  #armed: { point: string; nth: number } | undefined;
  #sent: Message[] = [];
  #crashes = 0;
  #restarts = 0;
  #over = false;

  constructor(seed: number) {
    this.#seed = seed;
    const mark = (name: string) => this.#mark(name);
    this.#disk = memoryStore(fakeWorld({ mark }));
    this.#judge = new Judge(this.#disk);
    this.#process = this.#make(Date.UTC(2026, 1, 13, 18, 26));
  }

  async run(actions: readonly Action[]): Promise<Played> {
    await this.#start();
    for (const [index, action] of actions.entries()) {
      this.#note(`action ${action.kind}`);
      await this.#act(action);
      if (this.#process.dead) await this.#reopen();
      if (this.#judge.violations.length > 0) {
        this.#judge.complain("step", `action ${index} of ${actions.length}`);
        break;
      }
    }
    this.#armed = undefined;
    if (this.#judge.violations.length === 0) await this.#rest();
    this.#over = true;
    this.#process.kill();
    this.#disk.close();
    const { violations } = this.#judge;
    return {
      violations,
      messages: this.#sent.length,
      crashes: this.#crashes,
      restarts: this.#restarts,
      hash: this.#hash.digest("hex"),
    };
  }

  #note(line: string): void {
    if (!this.#over) this.#hash.update(`${line}\n`);
  }

  #make(startAt: number): SimProcess {
    return new SimProcess({
      id: ++this.#processes,
      seed: this.#seed,
      disk: this.#disk,
      judge: this.#judge,
      startAt,
      uuid: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, "0")}`,
      mark: (name) => this.#mark(name),
      asked: this.#asked,
      note: (line) => this.#note(line),
    });
  }

  #mark(name: string): void {
    this.#note(name);
    if (this.#armed?.point !== name || --this.#armed.nth > 0) return;
    this.#armed = undefined;
    this.#process.kill();
    // The transaction that was about to be written is lost with the process.
    if (name === "store.commit.before") throw new Error("killed");
  }

  async #act(action: Action): Promise<void> {
    const gateway = this.#process;
    const earlier = (nth: number) => this.#sent[nth % Math.max(1, this.#sent.length)];
    switch (action.kind) {
      case "send":
        this.#sent.push(action.message);
        return gateway.send(action.message);
      case "again": {
        const message = earlier(action.nth);
        return message && gateway.send(message);
      }
      case "stop":
        return gateway.stop(action.session, { word: action.word });
      case "abort": {
        const message = earlier(action.nth);
        return message && gateway.stop(message.session, { runId: message.key });
      }
      case "wait": {
        const message = earlier(action.nth);
        return message && gateway.wait(message.key, action.timeoutMs);
      }
      case "turns":
        return this.#turns(action.n);
      case "pass":
        return this.#pass(action.ms, action.slices);
      case "jump":
        await gateway.world.clock.advance(action.ms);
        return this.#turns(4, { look: false });
      case "restart":
        return this.#restart();
      case "crash":
        return this.#crash(action.ticks);
      case "crashAt":
        this.#armed = { point: action.point, nth: action.nth };
    }
  }

  /** Dies after so many microtasks: in the middle of whatever goes on. */
  async #crash(ticks: number): Promise<void> {
    for (let tick = 0; tick < ticks && !this.#process.dead; tick++) await Promise.resolve();
    this.#process.kill();
  }

  /** Turns of the event loop; after each the judge looks. A turn lets one transaction through. */
  async #turns(n: number, { look = true } = {}): Promise<void> {
    for (let turn = 0; turn < n && !this.#process.dead; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (!this.#process.dead && (look || turn === n - 1)) this.#judge.turn(this.#process);
    }
  }

  async #pass(ms: number, slices: number): Promise<void> {
    for (let slice = 0; slice < slices && !this.#process.dead; slice++) {
      await this.#process.world.clock.advance(Math.max(1, Math.round(ms / slices)));
      await this.#turns(2);
    }
  }

  async #restart(): Promise<void> {
    this.#restarts++;
    await this.#until(this.#process.bench.agents.stop(500));
    // What is left of a stopped process is gone like after a crash, only cleanly.
    this.#process.kill();
  }

  async #reopen(): Promise<void> {
    this.#crashes++;
    // What was queued by the dead process runs into its death.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#judge.afterCrash();
    this.#process = this.#make(this.#process.now + 50);
    this.#judge.newProcess();
    await this.#start();
    if (this.#process.dead) await this.#reopen();
  }

  async #start(): Promise<void> {
    this.#note(`process ${this.#process.id}`);
    await this.#until(this.#process.bench.agents.start());
    if (!this.#process.dead) this.#judge.recovered();
  }

  async #until(work: Promise<unknown>): Promise<void> {
    const state = { done: false };
    work.then(
      () => {
        state.done = true;
      },
      (error: unknown) => {
        state.done = true;
        if (!this.#process.dead) this.#judge.complain("error", String(error));
      },
    );
    for (let turn = 0; !state.done && !this.#process.dead; turn++) {
      if (turn > 1_000) return this.#judge.complain("M3", "start or stop did not end within 1,000 turns");
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** No new faults: everything comes to rest, every key answers, nothing is left behind (M3, M4). */
  async #rest(): Promise<void> {
    const isOpen = () => this.#judge.rows().some((row) => row.state === "accepted" || row.state === "running");
    await this.#turns(5);
    for (let ms = 0; isOpen() && ms < endBudgetMs; ms += endSliceMs) await this.#pass(endSliceMs, 1);
    // The longest agent.wait and the retries of a process at rest.
    await this.#pass(61_000, 2);
    await this.#turns(5);
    const { bench } = this.#process;
    for (const { message, acknowledged } of this.#judge.entries.values()) if (acknowledged) this.#process.send(message);
    await this.#turns(3);
    this.#judge.end(this.#process.id);
    for (const { message, acknowledged, finals } of this.#judge.entries.values()) {
      if (acknowledged && finals.size !== 1)
        this.#judge.complain("keys", `${message.key} has ${finals.size} outcomes in the end`);
    }
    const left = {
      runs: bench.agents.runs.all().length,
      lanes: bench.agents.status().lanes,
      openCalls: this.#process.openCalls,
      timers: this.#process.timers,
    };
    const expected = { runs: 0, lanes: 0, openCalls: 0, timers: restingTimers };
    if (JSON.stringify(left) !== JSON.stringify(expected))
      this.#judge.complain("M4", `left behind: ${JSON.stringify(left)}`);
  }
}
