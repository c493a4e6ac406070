/** How slow this machine is now: limits in time are multiplied by it (reliability.md §4.0). */
import { spawnSync } from "node:child_process";

const referenceMs = 40;
const maxFactor = 4;

/** Between 1 and 4. Throws when the machine is slower than that: a verdict would say nothing. */
export function slowness(): number {
  const starts = Array.from({ length: 3 }, () => {
    const began = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    return performance.now() - began;
  });
  const startMs = Math.min(...starts);
  const factor = Math.max(1, startMs / referenceMs);
  if (factor > maxFactor)
    throw new Error(`machine too slow: an empty program takes ${Math.round(startMs)} ms to start`);
  return factor;
}
