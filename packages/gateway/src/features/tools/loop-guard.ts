/** Loop guard (R-RUN-7): the same tool with the same arguments, over and over in one run, is refused. */
import { createHash } from "node:crypto";

const maxRuns = 128;
const maxCallsPerRun = 256;

interface Seen {
  count: number;
  result?: string;
}

export class LoopGuard {
  readonly #runs = new Map<string, Map<string, Seen>>();

  /** Counts a call. Returns how often this run made it, this time included. */
  count(runId: string, tool: string, args: Record<string, unknown>): number {
    const calls = this.#runs.get(runId) ?? new Map<string, Seen>();
    // Put last, so that the run unused for longest is forgotten first.
    this.#runs.delete(runId);
    this.#runs.set(runId, calls);
    forgetOldest(this.#runs, maxRuns);
    const key = digest(`${tool} ${stableJson(args)}`);
    const seen = calls.get(key) ?? { count: 0 };
    calls.delete(key);
    calls.set(key, seen);
    forgetOldest(calls, maxCallsPerRun);
    return ++seen.count;
  }

  /** For tools that are polled: a result that differs from the last one is progress, and counting starts over. */
  progressed(runId: string, tool: string, args: Record<string, unknown>, result: unknown): void {
    const seen = this.#runs.get(runId)?.get(digest(`${tool} ${stableJson(args)}`));
    if (!seen) return;
    const latest = digest(stableJson(result));
    if (seen.result !== undefined && seen.result !== latest) seen.count = 1;
    seen.result = latest;
  }
}

function forgetOldest<V>(map: Map<string, V>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}

const digest = (text: string): string => createHash("sha256").update(text).digest("base64");

/** JSON with sorted keys, so that the order a model writes them in makes no difference. */
function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${stableJson(item)}`).join(",")}}`;
}
