import { expect, test } from "vitest";
import { seededRandom } from "../../../../../../test/support/random.ts";
import { InboxSim } from "./inbox-sim.fixture.ts";
import { OutboxSim } from "./outbox-sim.fixture.ts";

/** `LEDGER_SEED` and `LEDGER_SEEDS` play others. */
const first = Number(process.env["LEDGER_SEED"] ?? 20_261_121);
const seeds = Number(process.env["LEDGER_SEEDS"] ?? 100);

interface Sim {
  readonly violations: readonly string[];
  readonly crashes: number;
  run(steps: number): Promise<void>;
}

async function play(make: (random: () => number) => Sim, steps: number): Promise<void> {
  let crashes = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const sim = make(seededRandom(seed));
    await sim.run(steps);
    crashes += sim.crashes;
    expect({ seed, violations: sim.violations }).toEqual({ seed, violations: [] });
  }
  expect(crashes).toBeGreaterThan(seeds / 2);
}

test(`the outbox keeps its invariants over ${seeds} seeds from ${first}`, { timeout: 600_000 }, () =>
  play((random) => new OutboxSim(random), 60),
);

test(`the inbox keeps its invariants over ${seeds} seeds from ${first}`, { timeout: 600_000 }, () =>
  play((random) => new InboxSim(random), 60),
);
