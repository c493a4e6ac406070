/** Context-window guard (agent.md §3.8). */
import { commandLine } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { ModelEntry } from "./provider.ts";

/** Tokens. */
export const windowFloor = 16_000;
/** Tokens. */
export const windowWarning = 32_000;

/** `ok`, or a sentence for people. `refuse`: the run must not start. */
export function checkContextWindow(
  model: ModelEntry,
  world: Pick<World, "env">,
): { verdict: "ok" } | { verdict: "warn" | "refuse"; message: string } {
  if (model.contextWindow < windowFloor) {
    return {
      verdict: "refuse",
      message: `${model.ref} reads only ${model.contextWindow} tokens; at least ${windowFloor} are needed. Choose another model with "${commandLine(world, "models set <provider/model>")}", or correct contextWindow in models.providers.${model.provider}.models.`,
    };
  }
  if (model.contextWindow < windowWarning) {
    return {
      verdict: "warn",
      message: `${model.ref} reads only ${model.contextWindow} tokens; long conversations will be compacted often.`,
    };
  }
  return { verdict: "ok" };
}
