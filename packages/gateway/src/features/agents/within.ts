/** Waiting with a limit. */
import type { World } from "../../kernel/world.ts";

/** Whether `work` ended within `ms`. Rejects as it does. */
export async function within(world: Pick<World, "after">, ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = world.after(ms, () => late.resolve(false));
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    timer.cancel();
  }
}
