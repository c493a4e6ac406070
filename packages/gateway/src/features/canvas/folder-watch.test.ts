import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { FolderWatch, watchLimits } from "./folder-watch.ts";

test("a file that is written to all the time does not keep the page from reloading", async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "folder-watch-")));
  const world = fakeWorld();
  let changes = 0;
  const watching = new FolderWatch({ root, world, changed: () => void changes++, failed: () => {} });
  try {
    await watching.start();
    let step = 0;
    // Always within the time in which it waits for silence.
    await vi.waitFor(
      async () => {
        writeFileSync(join(root, "log.txt"), `${step++}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        await world.clock.advance(watchLimits.settleMs - 10);
        expect(changes).toBeGreaterThan(0);
      },
      { timeout: 10_000, interval: 1 },
    );
    expect(step * (watchLimits.settleMs - 10)).toBeGreaterThan(watchLimits.settleMs);
  } finally {
    watching.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
