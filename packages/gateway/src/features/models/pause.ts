/** Waiting that an abort ends. */
import type { World } from "../../kernel/world.ts";

/** Resolves to whether the time passed; false as soon as the signal comes. Never rejects. */
export function pause(world: World, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      timer.cancel();
      resolve(false);
    };
    const timer = world.after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
