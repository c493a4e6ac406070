/** SIGNALS (R-SIG-1): SIGUSR1 at random instants of a gateway's life — from the first statement of its run path through start,
 *  service, drain, restart and stop. Without a handler the runtime would answer with its debug port; with one that came and went
 *  the process would die. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { freePort, launcher, makeHome, token, type Home } from "../support/process.ts";
import { seededRandom } from "../support/random.ts";
import { Wire } from "../support/wire.ts";

export interface SignalOptions {
  seed: number;
  /** Delivered to living processes. */
  signals: number;
}

export interface SignalReport {
  signals: number;
  lives: number;
  restarts: number;
  /** How many came in which part of a life. */
  instants: Record<Part, number>;
  violations: string[];
}

type Part = "start" | "service" | "stop";

const readable = existsSync("/proc/self/cmdline");
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function signals(options: SignalOptions): Promise<SignalReport> {
  const random = seededRandom(options.seed);
  const report: SignalReport = {
    signals: 0,
    lives: 0,
    restarts: 0,
    instants: { start: 0, service: 0, stop: 0 },
    violations: [],
  };
  const worker = async () => {
    while (report.signals < options.signals && report.violations.length === 0) {
      const life = new Life(report, random);
      await life.play();
    }
  };
  await Promise.all([worker(), worker()]);
  return report;
}

/** One process from its start to its end. */
class Life {
  readonly #report: SignalReport;
  readonly #random: () => number;
  readonly #name: string;
  /** Every other gateway restarts when it is told to by anybody. */
  readonly #authorised: boolean;
  #output = "";
  #code: number | string | undefined;

  constructor(report: SignalReport, random: () => number) {
    this.#report = report;
    this.#random = random;
    this.#authorised = report.lives % 2 === 0;
    this.#name = `life ${report.lives++}`;
  }

  async play(): Promise<void> {
    // The canvas has a port of its own.
    const home = makeHome({ commands: { restart: this.#authorised }, canvasHost: { enabled: false } });
    try {
      await this.#playIn(home, await freePort());
    } finally {
      home.remove();
    }
  }

  async #playIn(home: Home, port: number): Promise<void> {
    const child = spawn(launcher, ["gateway", "--port", String(port)], {
      cwd: home.path,
      env: home.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    home.children.add(child);
    const hear = (chunk: Buffer) => (this.#output += chunk.toString());
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const ended = new Promise<void>((resolve) =>
      child.once("close", (code, signal) => {
        this.#code = code ?? signal ?? "unknown";
        resolve();
      }),
    );
    const pid = child.pid ?? 0;
    const shoot = async (part: Part, times: number, withinMs: number) => {
      const instants = Array.from({ length: times }, () => this.#random() * withinMs).toSorted((a, b) => a - b);
      const began = performance.now();
      for (const instant of instants) {
        await pause(Math.max(0, instant - (performance.now() - began)));
        if (this.#code !== undefined || !child.kill("SIGUSR1")) return;
        this.#report.signals++;
        this.#report.instants[part]++;
      }
    };
    // The title is set by the statements after the first; where it cannot be read, the first line comes later.
    const began = () => (readable ? titleOf(pid).startsWith("openclaw-gateway") : this.#output !== "");
    await this.#until(began, "the run path");
    await shoot("start", 3, 250);
    await this.#until(() => this.#output.includes("listening on"), "listening");
    const wire = await this.#connected(port);
    wire?.send({
      type: "req",
      id: "turn",
      method: "agent",
      params: { message: "sleep: 100", sessionKey: "main", idempotencyKey: "turn" },
    });
    await shoot("service", 3, 500);
    const extra = listeningPorts(pid).filter((one) => one !== port);
    if (extra.length > 0) this.#violation(`listens on ${extra.join(", ")} besides its port`);
    await (await this.#connected(port))?.close();
    if (this.#code !== undefined) return this.#violation(`ended with ${this.#code}: ${this.#output.slice(-800)}`);
    const restarts = this.#output.split("restarted; listening").length - 1;
    this.#report.restarts += restarts;
    if (!this.#authorised && restarts > 0) this.#violation("restarted without being authorised");
    child.kill("SIGTERM");
    await shoot("stop", 2, 60);
    await ended;
    if (this.#code !== 0) this.#violation(`stopped with ${this.#code}: ${this.#output.slice(-800)}`);
    if (/debugger|inspector|For help, see: https:\/\/nodejs/iu.test(this.#output))
      this.#violation(`opened the debug port: ${this.#output.slice(0, 1500)}`);
  }

  #violation(text: string): void {
    this.#report.violations.push(`${this.#name}: ${text}`);
  }

  /** A gateway that restarts closes what it has; it is asked again until it serves. */
  async #connected(port: number): Promise<Wire | undefined> {
    let wire: Wire | undefined;
    await this.#until(async () => {
      wire = await Wire.connect(`ws://127.0.0.1:${port}`, { token }).catch(() => undefined);
      return wire !== undefined;
    }, "a connection");
    return wire;
  }

  async #until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!(await check())) {
      if (this.#code !== undefined) throw new Error(`${this.#name} ended with ${this.#code}:\n${this.#output}`);
      if (performance.now() > deadline) throw new Error(`${this.#name}: no ${what} in 20 s:\n${this.#output}`);
      await pause(1);
    }
  }
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    // Gone; its end is judged elsewhere.
    return "";
  }
}

/** TCP ports on which this process listens. Empty where there is no /proc. */
function listeningPorts(pid: number): number[] {
  try {
    const own = new Set(
      readdirSync(`/proc/${pid}/fd`).flatMap(
        (fd) => /^socket:\[(\d+)\]$/u.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? [],
      ),
    );
    return ["tcp", "tcp6"].flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, "utf8")
        .split("\n")
        .map((line) => line.trim().split(/\s+/u))
        .filter((fields) => fields[3] === "0A" && own.has(fields[9] ?? ""))
        .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16)),
    );
  } catch {
    // Not Linux, or gone.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed between listing and reading.
    return "";
  }
}
