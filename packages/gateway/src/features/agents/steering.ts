/** What comes into a run that is under way, and what leaves it before its end (agent.md §8.2, §13.1). */
import type { Tx } from "../../store/store.ts";
import type { LiveRun } from "./live-run.ts";
import type { TurnDeps } from "./turn-deps.ts";

const prefix = "steer-";

/** Whether an entry of the transcript came into a run that was under way. */
export const isSteered = (entryId: string): boolean => entryId.startsWith(prefix);

/** Steering: messages that came while tools ran are read before the next model call. Puts them into the transcript. False when
 *  there were none, or the run ended meanwhile. */
export async function takeSteers(run: LiveRun, deps: TurnDeps): Promise<boolean> {
  const steers = run.steers.splice(0);
  if (steers.length === 0) return false;
  const { sessions, world } = deps;
  const taken = await deps.store.commit((tx) => {
    // An end that came in between has its own commit behind this one; what it does not find here is asked again later.
    if (!run.live || sessions.get(run.sessionKey)?.sessionId !== run.sessionId) return false;
    for (const { message, images, write } of steers) {
      const content = [...(message === "" ? [] : [{ type: "text" as const, text: message }]), ...images];
      const user = { role: "user" as const, content, timestamp: world.now() };
      sessions.append(tx, run.sessionKey, { type: "message", message: user }, { id: `${prefix}${world.uuid()}` });
      write(tx, run.id);
    }
    return true;
  });
  if (!taken) for (const steer of steers) steer.missed();
  return taken;
}

/** Writes what a run says before its end; from then on it is not repeated after a crash. False when it is over. */
export const speak = (run: LiveRun, write: (tx: Tx, runRowId: number) => void, deps: TurnDeps): Promise<boolean> =>
  deps.store.commit((tx) => {
    if (!run.live) return false;
    deps.table.markSpoken(tx, run.id);
    write(tx, run.id);
    return true;
  });
