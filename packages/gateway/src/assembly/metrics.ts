/** What `/metrics` shows: sums of what the rooms know, and counts taken from the bus. */
import type { Agents } from "../features/agents/index.ts";
import type { Sessions } from "../features/sessions/index.ts";
import type { Bus } from "../kernel/bus.ts";
import type { World } from "../kernel/world.ts";
import type { Metric } from "../server/index.ts";

export interface MetricParts {
  world: World;
  version: string;
  bus: Bus;
  agents: Agents;
  sessions: Sessions;
  connections: () => number;
  /** Plain HTTP answers by status class. */
  answers: () => Readonly<Record<string, number>>;
  apiRequests: () => number;
  problems: () => number;
}

export class Metrics {
  readonly name = "metrics";
  readonly #parts: MetricParts;
  readonly #startedAt: number;
  readonly #runs: Record<string, number> = { ok: 0, aborted: 0, error: 0 };
  #tools = 0;
  #events = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: MetricParts) {
    this.#parts = parts;
    this.#startedAt = parts.world.monotonic();
  }

  start(): void {
    this.#unsubscribe = this.#parts.bus.subscribe(({ event, payload }) => {
      this.#events++;
      if (event === "agent") this.#count(payload as { stream?: unknown; data?: Record<string, unknown> });
    });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  read(): Metric[] {
    const { world, version, agents, sessions, connections, answers, apiRequests, problems } = this.#parts;
    const { running, waiting, lanes, lateDropped } = agents.status();
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    const gauge = (name: string, help: string, value: number): Metric => ({
      name,
      kind: "gauge",
      help,
      values: [{ value }],
    });
    const counter = (name: string, help: string, value: number): Metric => ({
      name,
      kind: "counter",
      help,
      values: [{ value }],
    });
    const byLabel = (counts: Readonly<Record<string, number>>, label: string) =>
      Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
    return [
      { name: "build_info", kind: "gauge", help: "Always 1.", values: [{ labels: { version }, value: 1 }] },
      gauge("uptime_seconds", "Since this generation started.", (world.monotonic() - this.#startedAt) / 1_000),
      {
        name: "memory_bytes",
        kind: "gauge",
        help: "Memory of the process.",
        values: byLabel({ rss: memory.rss, heap_used: memory.heapUsed, external: memory.external }, "kind"),
      },
      counter("cpu_seconds_total", "Processor time of the process.", (cpu.user + cpu.system) / 1e6),
      gauge("connections", "Open connections of the control plane.", connections()),
      gauge("problems", "What is known bad; see health.", problems()),
      gauge("sessions", "Sessions in lists.", sessions.count()),
      gauge("runs_running", "Runs that run now.", running),
      gauge("runs_waiting", "Runs that wait for their turn.", waiting),
      gauge("queue_lane_size", "Sessions in which something runs or waits.", lanes),
      counter("run_late_output_dropped_total", "Output of runs that were over.", lateDropped),
      {
        name: "run_completed_total",
        kind: "counter",
        help: "Runs that ended.",
        values: byLabel(this.#runs, "outcome"),
      },
      counter("tool_execution_total", "Calls of tools by agents.", this.#tools),
      counter("bus_events_total", "Events announced.", this.#events),
      gauge("api_requests_active", "Requests of the OpenAI APIs being answered.", apiRequests()),
      {
        name: "http_responses_total",
        kind: "counter",
        help: "Plain HTTP answers by class of status.",
        values: byLabel(answers(), "status"),
      },
    ];
  }

  #count({ stream, data }: { stream?: unknown; data?: Record<string, unknown> }): void {
    const phase = data?.["phase"];
    if (stream === "tool" && phase === "start") this.#tools++;
    if (stream !== "lifecycle" || (phase !== "end" && phase !== "error")) return;
    const outcome = phase === "error" ? "error" : data?.["aborted"] === true ? "aborted" : "ok";
    this.#runs[outcome] = (this.#runs[outcome] ?? 0) + 1;
  }
}
