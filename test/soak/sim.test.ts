import { expect, test } from "vitest";
import { sim } from "./sim.ts";

test(
  "150 simulated gateways keep every rule of runs and lanes through crashes, stops and clock jumps",
  { timeout: 60_000 },
  async () => {
    const seed = Number(process.env.SOAK_SEED ?? 20_261_121);
    console.log(`sim seeds from ${seed} (repeat with SOAK_SEED=${seed})`);
    const report = await sim({ seed, seeds: 150, onViolation: (text) => console.error(text) });
    expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
    // The programme means something only while these things really happen in it.
    expect(report.n).toBe(150);
    expect(report.messages).toBeGreaterThan(2_000);
    expect(report.crashes).toBeGreaterThan(300);
    expect(report.restarts).toBeGreaterThan(100);
  },
);
