/** How fast an old state directory moves in: 10,000 sessions must take less than a minute (`OPENCLAW_SOAK_SESSIONS=10000`). */
import { expect, test } from "vitest";
import { importState } from "../../packages/gateway/src/assembly/import.ts";
import { systemWorld } from "../../packages/gateway/src/kernel/world.ts";
import { makeOldState } from "../support/old-state.ts";
import { makeHome } from "../support/process.ts";

test("sessions move in at more than 167 per second", async () => {
  const sessions = Number(process.env.OPENCLAW_SOAK_SESSIONS ?? 500);
  const home = makeHome();
  try {
    makeOldState(home.state, { sessions });
    const { taken, durationMs } = await importState({}, { ...systemWorld(home.env), cwd: () => home.path });
    expect(taken).toMatchObject({ sessions, entries: (sessions + 99) * 6 });
    const rate = Math.round((1000 * sessions) / durationMs);
    console.log(`moving in: ${sessions} sessions, ${taken.entries} entries in ${durationMs} ms, ${rate} sessions/s`);
    // A small run on a busy machine is mostly opening the store; the promise is about the large one.
    expect(durationMs).toBeLessThan(Math.max(10_000, sessions * 6));
  } finally {
    home.remove();
  }
}, 300_000);
