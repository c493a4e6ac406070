/** CRASH (reliability.md §4.1): clients send with keys while the gateway is killed with SIGKILL again and again, half the times
 *  at a random instant and half at a named point of its code. The judge is this process: what it saw acknowledged must be in
 *  the transcript exactly once, every key has exactly one outcome, no two runs of a session overlap, no tool call stands
 *  without its result, and the database is whole. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { freePort, makeHome, startGateway, token, type GatewayProcess, type Home } from "../support/process.ts";
import { seededRandom } from "../support/random.ts";
import { Wire, type WireFrame } from "../support/wire.ts";
import { crashPoints } from "./sim-actions.ts";

export interface CrashOptions {
  kills: number;
  seed: number;
  clients?: number;
  /** Longest life of one process in ms. */
  maxLifeMs?: number;
  onCycle?: (cycle: number, sent: number) => void;
}

export interface CrashReport {
  programme: "crash";
  seed: number;
  kills: number;
  sent: number;
  acknowledged: number;
  violations: string[];
  /** Processes that died at a named point by themselves. */
  diedAtPoint: number;
  readyP95Ms: number;
  killsPerSecond: number;
}

interface Sent {
  key: string;
  family: "agent" | "chat";
  session: string;
  text: string;
  acknowledged: boolean;
  /** Final outcomes seen on the wire, by any connection. */
  outcomes: Set<string>;
}

/** A process that never comes to its point is killed after this. */
const maxLifeAtPointMs = 1_500;
const sessions = ["crash-a", "crash-b", "crash-c"];

export async function crash(options: CrashOptions): Promise<CrashReport> {
  const random = seededRandom(options.seed);
  const home = makeHome({ gateway: { mode: "local", auth: { token }, safeMode: { maxUncleanBoots: 1_000_000 } } });
  const ledger = new Map<string, Sent>();
  const violations: string[] = [];
  const readyMs: number[] = [];
  const began = performance.now();
  let diedAtPoint = 0;
  const port = await freePort();
  const boot = async (): Promise<GatewayProcess> => {
    const spawned = performance.now();
    const gateway = await startGateway(home, { port });
    readyMs.push(performance.now() - spawned);
    return gateway;
  };
  try {
    for (let cycle = 0; cycle < options.kills; cycle++) {
      const point = cycle % 2 === 1 ? crashPoints[Math.floor(cycle / 2) % crashPoints.length] : undefined;
      const gateway = point ? await startToDie(home, port, point, 1 + Math.floor(random() * 12)) : await boot();
      if (gateway) {
        const clients = Array.from({ length: options.clients ?? 4 }, () => drive(gateway.url, ledger, random));
        const watcher = watchLanes(gateway.url, violations);
        const life = pause(point ? maxLifeAtPointMs : 30 + random() * (options.maxLifeMs ?? 500));
        if ((await Promise.race([gateway.exited, life])) !== undefined) diedAtPoint++;
        gateway.kill("SIGKILL");
        await gateway.exited;
        await Promise.all([...clients, watcher]);
      } else diedAtPoint++;
      options.onCycle?.(cycle + 1, ledger.size);
    }
    const last = await boot();
    await judge(last, ledger, violations);
    const code = await last.stop();
    if (code !== 0) violations.push(`the last stop ended with ${code}`);
    checkDatabase(home, violations);
  } finally {
    home.remove();
  }
  readyMs.sort((a, b) => a - b);
  return {
    programme: "crash",
    seed: options.seed,
    kills: options.kills,
    sent: ledger.size,
    acknowledged: [...ledger.values()].filter((entry) => entry.acknowledged).length,
    violations,
    diedAtPoint,
    killsPerSecond: Math.round((options.kills * 100_000) / (performance.now() - began)) / 100,
    readyP95Ms: Math.round(readyMs[Math.floor(readyMs.length * 0.95)] ?? 0),
  };
}

/** One client: sends the next message as soon as the last was acknowledged, until the socket dies. */
async function drive(url: string, ledger: Map<string, Sent>, random: () => number): Promise<void> {
  try {
    const wire = await Wire.connect(url, { token });
    for (;;) {
      const family = random() < 0.5 ? "agent" : "chat";
      const key = `key-${ledger.size + 1}-${Math.floor(random() * 2 ** 32).toString(36)}`;
      const entry: Sent = {
        key,
        family,
        session: sessions[Math.floor(random() * sessions.length)] ?? "crash-a",
        text: textOf(key, random()),
        acknowledged: false,
        outcomes: new Set(),
      };
      ledger.set(key, entry);
      const answer = await wire.request(...requestOf(entry));
      if (!answer.ok) throw new Error(`refused: ${answer.error?.message}`);
      entry.acknowledged = true;
      noteOutcome(entry, answer);
      if (random() < 0.3) noteOutcome(entry, await outcomeEvent(wire, entry));
    }
  } catch {
    // The gateway was killed under the client, which is the point of the programme.
  }
}

/** A plain message, one that calls a tool, one whose tool has effects, one that takes its time. */
function textOf(key: string, roll: number): string {
  if (roll < 0.15) return `tool: session_status {}\nmessage ${key}`;
  if (roll < 0.35) return `tool: write {"path":"${key}.txt","content":"x"}\nmessage ${key}`;
  if (roll < 0.45) return `sleep: 30\nmessage ${key}`;
  return `message ${key}`;
}

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

/** A process that dies by itself. Undefined when it died before it could serve. */
export function startToDie(
  home: Home,
  port: number,
  point: string,
  nth: number,
): Promise<Pick<GatewayProcess, "url" | "exited" | "kill"> | undefined> {
  const entry = join(import.meta.dirname, "crash-entry.ts");
  const args = [
    "--conditions=openclaw-source",
    "--disable-warning=ExperimentalWarning",
    entry,
    String(port),
    point,
    String(nth),
  ];
  const child = spawn(process.execPath, args, { cwd: home.path, env: home.env, stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "unknown")),
  );
  const ready = new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  const gateway = { url: `ws://127.0.0.1:${port}`, exited, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
  const died = exited.then((how) => {
    if (how !== "SIGKILL") throw new Error(`the gateway ended with ${how} before it was killed`);
    return undefined;
  });
  return Promise.race([ready.then(() => gateway), died]);
}

/** L1: between the start and the end of a run no other run of its session starts. */
async function watchLanes(url: string, violations: string[]): Promise<void> {
  try {
    const wire = await Wire.connect(url, { token });
    const running = new Map<string, string>();
    wire.socket.on("message", (data) => {
      const { event, payload } = JSON.parse(String(data)) as WireFrame;
      const {
        runId,
        sessionKey,
        stream,
        data: what,
      } = (payload ?? {}) as { runId?: string; sessionKey?: string; stream?: string; data?: { phase?: string } };
      if (event !== "agent" || stream !== "lifecycle" || !runId || !sessionKey) return;
      if (what?.phase !== "start") return void (running.get(sessionKey) === runId && running.delete(sessionKey));
      const other = running.get(sessionKey);
      if (other !== undefined && violations.length < 100)
        violations.push(`L1: ${runId} started while ${other} ran in ${sessionKey}`);
      running.set(sessionKey, runId);
    });
    await wire.closed;
  } catch {
    // Killed before it could connect.
  }
}

function requestOf(entry: Sent): [string, Record<string, unknown>] {
  return entry.family === "agent"
    ? ["agent", { message: entry.text, sessionKey: entry.session, idempotencyKey: entry.key }]
    : ["chat.send", { message: entry.text, sessionKey: entry.session, idempotencyKey: entry.key }];
}

const outcomeEvent = (wire: Wire, entry: Sent): Promise<WireFrame> =>
  wire.event("chat", (payload) => payload.runId === entry.key && payload.state !== "delta");

function noteOutcome(entry: Sent, frame: WireFrame): void {
  const status = frame.type === "event" ? frame.payload?.state : frame.payload?.status;
  if (status === "final" || status === "ok") entry.outcomes.add("ok");
  if (status === "error" || status === "aborted") entry.outcomes.add("error");
}

async function judge(gateway: GatewayProcess, ledger: Map<string, Sent>, violations: string[]): Promise<void> {
  const wire = await Wire.connect(gateway.url, { token });
  await idle(wire);
  const history = await readHistory(wire, violations);
  for (const entry of ledger.values()) {
    const times = history.filter((text) => text.includes(entry.key) && text.startsWith("user:")).length;
    if (entry.acknowledged && times !== 1)
      violations.push(`${entry.family} ${entry.key}: acknowledged, ${times} times in the transcript`);
    if (!entry.acknowledged && times > 1)
      violations.push(`${entry.family} ${entry.key}: ${times} times in the transcript`);
    if (!entry.acknowledged) continue;
    const answer = await wire.request(...requestOf(entry));
    noteOutcome(entry, answer);
    const status = answer.payload?.status;
    if (status !== "ok" && status !== "error")
      violations.push(`${entry.family} ${entry.key}: asked again, answered ${String(status)}`);
    if (entry.outcomes.size !== 1) violations.push(`${entry.family} ${entry.key}: ${entry.outcomes.size} outcomes`);
  }
  await wire.close();
}

/** Waits until recovery has run everything that was left open. */
async function idle(wire: Wire): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const status = await wire.call<{ runs?: { active: number; waiting: number } }>("status", {});
    if ((status.runs?.active ?? 0) + (status.runs?.waiting ?? 0) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("runs were still open 30 s after the last start");
}

async function readHistory(wire: Wire, violations: string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const session of sessions) {
    let before: string | undefined;
    for (;;) {
      const page = await wire.call<{ messages: { id?: string; role: string; content: unknown }[] }>("chat.history", {
        sessionKey: session,
        limit: 1_000,
        ...(before ? { before } : {}),
      });
      texts.push(...page.messages.map((message) => `${message.role}:${JSON.stringify(message.content)}`));
      const oldest = page.messages[0]?.id;
      if (page.messages.length < 1_000) break;
      if (!oldest || oldest === before) {
        violations.push(`history of ${session} cannot be paged`);
        break;
      }
      before = oldest;
    }
  }
  return texts;
}

function checkDatabase(home: Home, violations: string[]): void {
  const database = new DatabaseSync(join(home.state, "openclaw.db"));
  try {
    const row = database.prepare("PRAGMA integrity_check").get() as { integrity_check?: string } | undefined;
    if (row?.integrity_check !== "ok") violations.push(`integrity_check: ${row?.integrity_check}`);
    checkPairs(database, violations);
    const open = database.prepare("SELECT count(*) AS n FROM run WHERE state IN ('accepted','running')").get() as {
      n: number;
    };
    if (open.n > 0) violations.push(`${open.n} runs left open after a clean stop`);
  } finally {
    database.close();
  }
}

/** R-SES-1: every tool call in a transcript has exactly one result. */
function checkPairs(database: DatabaseSync, violations: string[]): void {
  const waiting = new Set<string>();
  for (const { session_id, json } of database.prepare("SELECT session_id, json FROM entry ORDER BY rowid").iterate()) {
    const { message } = JSON.parse(String(json)) as { message?: { content?: unknown; toolCallId?: string } };
    const parts = Array.isArray(message?.content) ? (message.content as { type: string; id?: string }[]) : [];
    for (const part of parts) if (part.type === "toolCall") waiting.add(`${String(session_id)} ${part.id}`);
    if (message?.toolCallId !== undefined && !waiting.delete(`${String(session_id)} ${message.toolCallId}`))
      violations.push(`a result without its call: ${message.toolCallId}`);
  }
  for (const call of waiting) violations.push(`a call without its result: ${call}`);
}
