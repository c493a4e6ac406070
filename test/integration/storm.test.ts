/** The short versions of STORM, SIGNALS and RELOAD; `soak:ci` runs the long ones. */
import { expect, test } from "vitest";
import { reload } from "../soak/reload.ts";
import { signals } from "../soak/signals.ts";
import { storm } from "../soak/storm.ts";

test(
  "twelve starts at once, then fifteen restarts under load: one owner, one process, no turn lost",
  { timeout: 90_000 },
  async () => {
    const report = await storm({ starts: 12, restarts: 15, clients: 4 });
    expect(report.violations).toEqual([]);
    expect(report.turns).toBeGreaterThan(0);
  },
);

test(
  "a storm of edits drops nobody, restarts at most twice and ends with the last one",
  { timeout: 60_000 },
  async () => {
    const seed = Number(process.env.SOAK_SEED ?? 20_261_122);
    const report = await reload({ seed, edits: 60, withinMs: 1_000, clients: 8, flips: 8 });
    expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
  },
);

test(
  "SIGUSR1 at any instant from the first statement to the last never opens the debug port",
  { timeout: 60_000 },
  async () => {
    const seed = Number(process.env.SOAK_SEED ?? 20_261_122);
    const report = await signals({ seed, signals: 28 });
    expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
    expect(Math.min(report.instants.start, report.instants.service)).toBeGreaterThan(0);
  },
);
