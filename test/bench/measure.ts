/** Numbers: how they are taken, and how they are shown. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Row {
  metric: string;
  gateway: number;
  /** The same thing done by the least that could do it: bare Node, an echo server, the provider called directly. */
  floor?: number;
  unit: "ms" | "MB" | "KB" | "/s" | "";
  /** How the budget reads, and whether it is met. */
  budget?: { text: string; met: boolean };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Milliseconds that `run` takes. */
export async function time(run: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

/** Runs `each` for indexes below `count`, at most `inFlight` at once. Resolves to calls per second. */
export async function rate(
  count: number,
  inFlight: number,
  each: (index: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const worker = async () => {
    while (next < count) await each(next++);
  };
  const ms = await time(() => Promise.all(Array.from({ length: Math.min(inFlight, count) }, worker)));
  return (count / ms) * 1000;
}

/** Medians of five rounds of both, taken in turns so that a busy moment of the machine hits both. The first round warms up. */
export async function alternate(ours: () => Promise<number>, floor: () => Promise<number>): Promise<[number, number]> {
  const taken: [number, number][] = [];
  for (let round = 0; round < 6; round++) taken.push([await ours(), await floor()]);
  const warm = taken.slice(1);
  return [median(warm.map(([value]) => value)), median(warm.map(([, value]) => value))];
}

/** Resident memory in MB. */
export function residentMb(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;
}

/** CPU time of a process so far in ms, where the kernel tells it. */
export function cpuMs(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    // Not Linux.
    return undefined;
  }
}

export const format = (value: number): string =>
  Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString("en")
    : value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ metric, gateway, floor, unit, budget }) => {
    const ratio = floor ? `${(gateway / floor).toFixed(2)}` : "";
    const verdict = budget ? `${budget.text}: ${budget.met ? "met" : "**not met**"}` : "";
    return `| ${metric} | ${[format(gateway), unit].join(" ").trim()} | ${floor === undefined ? "" : [format(floor), unit].join(" ").trim()} | ${ratio} | ${verdict} |`;
  });
  return ["| metric | gateway | floor | ratio | budget |", "|---|---:|---:|---:|---|", ...lines].join("\n");
}

/** A table in which the rows of some suites are measured anew; rows it did not have follow those measured with them. */
export function updatedTable(old: string, rows: readonly Row[]): string {
  const lines = old.trim().split("\n");
  const metricOf = (line: string) => line.split("|")[1]?.trim();
  let at = lines.length - 1;
  for (const line of table(rows).split("\n").slice(2)) {
    const found = lines.findIndex((other) => metricOf(other) === metricOf(line));
    at = found < 0 ? at + 1 : found;
    lines.splice(at, found < 0 ? 0 : 1, line);
  }
  return lines.join("\n");
}
