/** CRASH (reliability.md §4.1): clients send with keys while the gateway is killed with SIGKILL again and again. The judge is
 *  this process: what it saw acknowledged must be in the transcript exactly once, every key has exactly one outcome, and the
 *  database is whole. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { freePort, makeHome, startGateway, token, type GatewayProcess, type Home } from "../support/process.ts";
import { Wire, type WireFrame } from "../support/wire.ts";
import { seededRandom } from "../support/random.ts";

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
  readyP95Ms: number;
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

const sessions = ["crash-a", "crash-b", "crash-c"];

export async function crash(options: CrashOptions): Promise<CrashReport> {
  const random = seededRandom(options.seed);
  const home = makeHome({ gateway: { mode: "local", auth: { token }, safeMode: { maxUncleanBoots: 1_000_000 } } });
  const ledger = new Map<string, Sent>();
  const violations: string[] = [];
  const readyMs: number[] = [];
  const port = await freePort();
  const boot = async (): Promise<GatewayProcess> => {
    const began = performance.now();
    const gateway = await startGateway(home, { port });
    readyMs.push(performance.now() - began);
    return gateway;
  };
  try {
    for (let cycle = 0; cycle < options.kills; cycle++) {
      const gateway = await boot();
      const clients = Array.from({ length: options.clients ?? 4 }, () => drive(gateway.url, ledger, random));
      const life = 30 + random() * (options.maxLifeMs ?? 500);
      await new Promise((resolve) => setTimeout(resolve, life));
      gateway.kill("SIGKILL");
      await gateway.exited;
      await Promise.all(clients);
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
    readyP95Ms: Math.round(readyMs[Math.floor(readyMs.length * 0.95)] ?? 0),
  };
}

/** One client: sends the next message as soon as the last was acknowledged, until the socket dies. */
async function drive(url: string, ledger: Map<string, Sent>, random: () => number): Promise<void> {
  try {
    const wire = await Wire.connect(url, { token });
    for (;;) {
      const family = random() < 0.5 ? "agent" : "chat";
      const key = randomUUID();
      const entry: Sent = {
        key,
        family,
        session: sessions[Math.floor(random() * sessions.length)] ?? "crash-a",
        text: `message ${key}`,
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
    if (entry.acknowledged && times !== 1) violations.push(`${entry.family} ${entry.key}: acknowledged, ${times} times in the transcript`);
    if (!entry.acknowledged && times > 1) violations.push(`${entry.family} ${entry.key}: ${times} times in the transcript`);
    if (!entry.acknowledged) continue;
    const answer = await wire.request(...requestOf(entry));
    noteOutcome(entry, answer);
    const status = answer.payload?.status;
    if (status !== "ok" && status !== "error") violations.push(`${entry.family} ${entry.key}: asked again, answered ${String(status)}`);
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
    const open = database.prepare("SELECT count(*) AS n FROM run WHERE state IN ('accepted','running')").get() as { n: number };
    if (open.n > 0) violations.push(`${open.n} runs left open after a clean stop`);
  } finally {
    database.close();
  }
}
