/** The ledger of both channels across crashes, in small; `npm run soak:channels` is the long version. */
import { expect, test } from "vitest";
import { channels } from "../../soak/channels.ts";

test(
  "eight kills lose no acknowledged message, and nobody is answered twice or out of order",
  { timeout: 300_000 },
  async () => {
    const seed = Number(process.env.SOAK_SEED ?? 20_261_121);
    const report = await channels({ kills: 8, messages: 1_000, seed, whatsapp: true });
    expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] });
    // The programme means something only while these things really happen in it.
    expect(report.n).toBe(1_000);
    expect(report.answered).toBeGreaterThan(200);
    expect(Object.values(report.diedAtPoint).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(2);
  },
);
