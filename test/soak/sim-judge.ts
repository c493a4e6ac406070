/** The judge of a simulation. It keeps its own record of what was sent, acknowledged, answered and announced, and compares:
 *  after every turn the invariants of runs and lanes (reliability.md §3.3, §3.4), after every crash that only whole
 *  transactions are visible (M1), at the end what became of every message. */
import type { Reader } from "../../packages/gateway/src/store/index.ts";
import type { Message } from "./sim-actions.ts";
import { keysIn, replyMark } from "./sim-script.ts";

export interface Entry {
  readonly message: Message;
  acknowledged: boolean;
  /** Final answers seen on the wire; all of them must be equal. */
  readonly finals: Set<string>;
  /** A stop that named this run was acknowledged. */
  stopped: boolean;
  /** Process in which a tool with effects was started. */
  effectsIn: number | undefined;
  /** Calls of tools with effects, over all processes. */
  readonly effects: Set<string>;
  lastSign: number;
  /** Terminal state, once seen in the store. */
  terminal: string | undefined;
  /** Events of the present process. */
  seq: number;
  lifecycleEnds: number;
  /** Terminal chat states over all processes. */
  chatEnds: number;
  /** Process that announced the terminal chat state. */
  endedIn: number | undefined;
  /** When the present process was first seen to run it: its deadlines count from then. */
  runningSince: number | undefined;
}

/** What the judge may see of the process that runs now. */
export interface Present {
  readonly id: number;
  readonly now: number;
  readonly running: number;
  readonly maxConcurrent: number;
  /** Whether the process knows the run and still counts it as open. */
  knows(family: string, key: string): boolean;
  /** Runs the lane of a session names: the running one, then the waiting ones. */
  lane(sessionKey: string): string[];
  isDirect(family: string, key: string): boolean;
}

interface RunRowView {
  id: number;
  run_id: string;
  family: string;
  state: string;
  session_key: string;
  session_id: string;
  effects: number;
  attempts: number;
  user_entry_id: string | null;
}

interface StoredMessage {
  sessionId: string;
  seq: number;
  role: string;
  text: string;
  stopReason: string | undefined;
  toolCalls: string[];
  toolCallId: string | undefined;
}

const runIdleMs = 120_000;
const graceMs = 1_000;
const open = new Set(["accepted", "running"]);
const maxAttempts = 3;

export class Judge {
  readonly entries = new Map<string, Entry>();
  readonly violations: string[] = [];
  readonly #disk: Reader;

  constructor(disk: Reader) {
    this.#disk = disk;
  }

  entry(message: Message): Entry {
    const known = this.entries.get(message.key);
    if (known) return known;
    const fresh: Entry = {
      message,
      acknowledged: false,
      finals: new Set(),
      stopped: false,
      effectsIn: undefined,
      effects: new Set(),
      lastSign: 0,
      terminal: undefined,
      seq: 0,
      lifecycleEnds: 0,
      chatEnds: 0,
      endedIn: undefined,
      runningSince: undefined,
    };
    this.entries.set(message.key, fresh);
    return fresh;
  }

  complain(rule: string, text: string): void {
    if (this.violations.length < 20) this.violations.push(`${rule}: ${text}`);
  }

  /** A new process: events are numbered from 1 again. */
  newProcess(): void {
    for (const entry of this.entries.values()) {
      entry.seq = 0;
      entry.lifecycleEnds = 0;
      entry.runningSince = undefined;
    }
  }

  // ---- what was seen

  acknowledged(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    entry.acknowledged = true;
    const row = this.#disk.get("SELECT id FROM run WHERE run_id = ? AND family = ?", key, entry.message.family);
    if (!row) this.complain("R-RUN-8", `${key} was acknowledged before its row was durable`);
  }

  final(key: string, answer: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    entry.finals.add(answer);
    if (entry.finals.size > 1) this.complain("keys", `${key} has several outcomes: ${[...entry.finals].join(" | ")}`);
  }

  /** A stop of these runs was acknowledged, and it covered every message of the session acknowledged before it was asked. */
  stopAcknowledged(runIds: readonly string[], covered: readonly string[]): void {
    for (const key of runIds) {
      const entry = this.entries.get(key);
      if (entry) entry.stopped = true;
    }
    const rows = new Map(this.rows().map((row) => [row.run_id, row.state]));
    for (const key of covered) {
      if (open.has(rows.get(key) ?? ""))
        this.complain("R-STOP-2", `${key} is still ${rows.get(key)} after its session was stopped`);
    }
  }

  modelAsked(key: string, lastUserKey: string | undefined, present: Present): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    if (lastUserKey !== key) this.complain("context", `the model is asked about ${lastUserKey} in the run of ${key}`);
    entry.lastSign = present.now;
    this.#mayAct(entry, "a model call", present);
    if (entry.effectsIn !== undefined && entry.effectsIn !== present.id)
      this.complain("R-RUN-4", `${key} was started again after a tool with effects had started`);
  }

  toolStarted(key: string, call: string, effects: boolean, present: Present): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    entry.lastSign = present.now;
    this.#mayAct(entry, "a tool call", present);
    if (!effects) return;
    const row = this.#disk.get<{ effects: number }>("SELECT effects FROM run WHERE run_id = ?", key);
    if (row?.effects !== 1) this.complain("R-RUN-4", `${key}: a tool with effects started before its row said so`);
    if (entry.effectsIn !== undefined && entry.effectsIn !== present.id)
      this.complain("R-RUN-4", `${key}: ${call} in a second process`);
    entry.effectsIn = present.id;
  }

  #mayAct(entry: Entry, what: string, present: Present): void {
    const { key, family } = entry.message;
    if (entry.stopped) this.complain("R-STOP-2", `${key}: ${what} after the acknowledgement of its stop`);
    if (entry.terminal !== undefined) this.complain("N2", `${key}: ${what} though it is ${entry.terminal}`);
    if (!present.knows(family, key)) this.complain("N2", `${key}: ${what} of a run that is over`);
  }

  agentEvent(
    payload: { runId: string; seq: number; stream: string; data: Record<string, unknown> },
    present: Present,
  ): void {
    const entry = this.entries.get(payload.runId);
    if (!entry) return;
    const { key } = entry.message;
    entry.lastSign = present.now;
    if (payload.seq !== entry.seq + 1) this.complain("seq", `${key}: event ${payload.seq} follows ${entry.seq}`);
    entry.seq = payload.seq;
    if (entry.stopped) this.complain("R-STOP-2", `${key}: an event after the acknowledgement of its stop`);
    if (entry.lifecycleEnds > 0) this.complain("R-RUN-8", `${key}: an event after its lifecycle end`);
    const { phase } = payload.data;
    if (payload.stream === "lifecycle" && (phase === "end" || phase === "error")) entry.lifecycleEnds++;
  }

  chatEvent(payload: { runId: string; state: string }, present: Present): void {
    const entry = this.entries.get(payload.runId);
    if (!entry) return;
    const { key } = entry.message;
    entry.lastSign = present.now;
    if (entry.stopped) this.complain("R-STOP-2", `${key}: a chat event after the acknowledgement of its stop`);
    if (entry.chatEnds > 0) this.complain("chat", `${key}: ${payload.state} after its terminal chat state`);
    if (payload.state === "delta" || payload.state === "status") return;
    entry.chatEnds++;
    entry.endedIn = present.id;
  }

  // ---- what must hold

  rows(): RunRowView[] {
    return this.#disk.all<RunRowView>(
      "SELECT id, run_id, family, state, session_key, session_id, effects, attempts, user_entry_id FROM run ORDER BY id",
    );
  }

  /** After every turn. */
  turn(present: Present): void {
    const running = new Map<string, string>();
    for (const row of this.rows()) {
      const entry = this.entries.get(row.run_id);
      if (!entry) continue;
      const key = row.run_id;
      if (entry.terminal !== undefined && row.state !== entry.terminal)
        this.complain("N1", `${key} went from ${entry.terminal} to ${row.state}`);
      if (row.attempts > maxAttempts) this.complain("R-RUN-4", `${key} was tried ${row.attempts} times`);
      if (!open.has(row.state)) {
        entry.terminal = row.state;
        if (present.lane(row.session_key).includes(key))
          this.complain("N3", `${key} is ${row.state}, but its lane names it`);
        continue;
      }
      if (!present.knows(row.family, key)) {
        // Its end may be on the way to the disk; the next turn sees it.
        continue;
      }
      if (row.state !== "running") continue;
      if (!present.isDirect(row.family, key)) {
        const other = running.get(row.session_key);
        if (other) this.complain("L1", `${other} and ${key} run in the lane of ${row.session_key}`);
        running.set(row.session_key, key);
      }
      const began = (entry.runningSince ??= present.now);
      const quietMs = present.now - Math.max(entry.lastSign, began);
      if (quietMs > runIdleMs + graceMs) this.complain("N5", `${key} runs without a sign of life for ${quietMs} ms`);
      if (present.now - began > entry.message.timeoutMs + graceMs)
        this.complain(
          "R-RUN-2",
          `${key} runs for ${present.now - began} ms, its limit is ${entry.message.timeoutMs} ms`,
        );
    }
    if (present.running > present.maxConcurrent)
      this.complain("L3", `${present.running} runs at once, the cap is ${present.maxConcurrent}`);
  }

  /** Right after a crash, before anything was repaired: rows and transcript agree, because one commit wrote both. */
  afterCrash(): void {
    const stored = this.messages();
    for (const row of this.rows()) {
      const entry = this.entries.get(row.run_id);
      if (!entry || entry.message.command) continue;
      const key = row.run_id;
      const times = stored.filter((message) => message.role === "user" && keysIn(message.text).includes(key)).length;
      const expected = row.state === "accepted" && row.user_entry_id === null ? 0 : 1;
      if (times !== expected)
        this.complain("M1", `${key} is ${row.state}, its message is ${times} times in the transcript`);
      this.#reply(row, stored, "M1");
    }
  }

  /** Before a process serves anybody (R-SHUT-2). */
  recovered(): void {
    for (const row of this.rows()) {
      if (row.state === "running")
        this.complain("R-SHUT-2", `${row.run_id} of a former process is still running after recovery`);
    }
  }

  /** Everything came to rest in process `id`. */
  end(id: number): void {
    const stored = this.messages();
    const rows = new Map(this.rows().map((row) => [row.run_id, row]));
    for (const { message, acknowledged, chatEnds, endedIn, terminal } of this.entries.values()) {
      const { key, command } = message;
      const row = rows.get(key);
      const times = stored.filter(({ role, text }) => role === "user" && keysIn(text).includes(key)).length;
      if (acknowledged && !row) this.complain("lost", `${key} was acknowledged and is gone`);
      if (row && open.has(row.state)) this.complain("M3", `${key} is ${row.state} in the end`);
      if (keysIn(message.text).length > 0 && times !== (row ? 1 : 0))
        this.complain("transcript", `${key} (${row?.state ?? "never accepted"}) is ${times} times in the transcript`);
      if (chatEnds > 1) this.complain("chat", `${key} has ${chatEnds} terminal chat states`);
      if (endedIn === id && chatEnds !== 1)
        this.complain("chat", `${key} ended as ${terminal} without a terminal chat state`);
      if (row && !command) this.#reply(row, stored, "reply");
    }
    this.#pairs(stored);
    this.#order([...rows.values()], stored);
    const interrupted = [...rows.values()].filter((row) => row.state === "interrupted").length;
    const notices = stored.filter(
      ({ role, text }) => role === "assistant" && text.includes("The gateway stopped "),
    ).length;
    // A session that was started over meanwhile is not written to any more.
    if (notices > interrupted) this.complain("N4", `${interrupted} runs were interrupted, ${notices} notices tell so`);
    if (notices < interrupted && ![...this.entries.values()].some(({ message }) => message.text.startsWith("/new")))
      this.complain("N4", `${interrupted} runs were interrupted, only ${notices} notices tell so`);
  }

  #reply(row: RunRowView, stored: readonly StoredMessage[], rule: string): void {
    const mark = replyMark(row.run_id);
    const replies = stored.filter(
      ({ role, text, stopReason }) => role === "assistant" && stopReason === "stop" && text.includes(mark),
    ).length;
    const expected = row.state === "ok" ? 1 : 0;
    if (replies !== expected) this.complain(rule, `${row.run_id} is ${row.state} and has ${replies} complete replies`);
  }

  /** R-SES-1: every tool call is followed by its result, every result follows its call. */
  #pairs(stored: readonly StoredMessage[]): void {
    const waiting = new Set<string>();
    for (const message of stored) {
      for (const call of message.toolCalls) waiting.add(`${message.sessionId} ${call}`);
      if (message.toolCallId !== undefined && !waiting.delete(`${message.sessionId} ${message.toolCallId}`))
        this.complain("R-SES-1", `a result without its call: ${message.toolCallId}`);
    }
    for (const call of waiting) this.complain("R-SES-1", `a call without its result: ${call}`);
  }

  /** First in, first out: messages that were answered stand in the order of their acceptance. */
  #order(rows: readonly RunRowView[], stored: readonly StoredMessage[]): void {
    const accepted = rows.filter((row) => row.state === "ok").map((row) => row.run_id);
    const last = new Map<string, number>();
    for (const { sessionId, role, text } of stored) {
      const key = role === "user" ? keysIn(text).at(0) : undefined;
      const entry = key === undefined ? undefined : this.entries.get(key);
      if (key === undefined || !entry || entry.message.command || !accepted.includes(key)) continue;
      const at = accepted.indexOf(key);
      if (at < (last.get(sessionId) ?? -1)) this.complain("order", `${key} was answered out of turn`);
      last.set(sessionId, at);
    }
  }

  messages(): StoredMessage[] {
    const rows = this.#disk.all<{ session_id: string; seq: number; json: string }>(
      "SELECT session_id, seq, json FROM entry ORDER BY rowid",
    );
    return rows.flatMap(({ session_id, seq, json }) => {
      const body = JSON.parse(json) as {
        type: string;
        message?: { role: string; content: unknown; stopReason?: string; toolCallId?: string };
      };
      if (body.type !== "message" || !body.message) return [];
      const { role, content, stopReason, toolCallId } = body.message;
      const parts = Array.isArray(content) ? (content as { type: string; text?: string; id?: string }[]) : [];
      const text = typeof content === "string" ? content : parts.map((part) => part.text ?? "").join("");
      const toolCalls = parts.flatMap((part) => (part.type === "toolCall" && part.id !== undefined ? [part.id] : []));
      return [{ sessionId: session_id, seq, role, text, stopReason, toolCalls, toolCallId }];
    });
  }
}
