/** How messages wait for a session: its own `/queue`, else by channel, else for all (agent.md §8.4). Pure. */
import type { PipelineConfig } from "./ports.ts";
import type { QueueMode, QueueSettings } from "./queue.ts";

type Global = PipelineConfig["messages"]["queue"];

/** What a session chose by `/queue`. */
export interface SessionQueue {
  mode?: string;
  debounceMs?: number;
  cap?: number;
  drop?: string;
}

/** `queue` is an old word for steer. Steering and a follow-up of the same message would answer it twice, so that `steer-backlog`
 *  is steer: what cannot be steered waits in any case. */
const modes: Readonly<Record<string, QueueMode>> = {
  collect: "collect",
  followup: "followup",
  interrupt: "interrupt",
  steer: "steer",
  queue: "steer",
  "steer-backlog": "steer",
  "steer+backlog": "steer",
};

const own = <T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  map && Object.hasOwn(map, key) ? map[key] : undefined;

export function queueSettings(global: Global, channel: string, session: SessionQueue | undefined): QueueSettings {
  const mode = session?.mode ?? own(global.byChannel, channel) ?? global.mode;
  const drop = session?.drop ?? global.drop;
  return {
    mode: own(modes, mode) ?? "collect",
    debounceMs: session?.debounceMs ?? own(global.debounceMsByChannel, channel) ?? global.debounceMs,
    cap: Math.max(1, session?.cap ?? global.cap),
    drop: drop === "old" || drop === "new" ? drop : "summarize",
  };
}
