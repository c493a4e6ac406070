/** Thinking levels: order, token budgets and what a model gets when nobody chose (agent.md §3.7). */
import type { ModelEntry, ThinkingLevel } from "./provider.ts";

export const thinkingLevels: readonly ThinkingLevel[] = ["off", "minimal", "low", "medium", "high", "xhigh"];

/** Tokens, for providers that want a number. */
export const thinkingBudgets: Readonly<Record<Exclude<ThinkingLevel, "off">, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 16_384,
};

/** Models that know a level above `high`. */
const beyondHigh = /gpt-(5\.[2-9]|[6-9])|codex|claude-(opus|sonnet|fable)-(4-[7-9]|[5-9])/;

/** `low` for models that can think, else `off`. */
export const defaultThinking = (model: ModelEntry): ThinkingLevel => (model.reasoning ? "low" : "off");

/** The level actually sent: `off` for models that cannot think, `xhigh` only to models that know it. */
export function effectiveThinking(model: ModelEntry, level: ThinkingLevel): ThinkingLevel {
  if (!model.reasoning) return "off";
  return level === "xhigh" && !beyondHigh.test(model.id) ? "high" : level;
}

/** The supported level nearest to `wanted`, the lower one on a tie; undefined when none but `wanted` itself is left. */
export function nearestThinking(wanted: ThinkingLevel, supported: readonly ThinkingLevel[]): ThinkingLevel | undefined {
  const at = thinkingLevels.indexOf(wanted);
  return supported
    .filter((level) => level !== wanted)
    .map((level) => ({
      level,
      distance: Math.abs(thinkingLevels.indexOf(level) - at),
      index: thinkingLevels.indexOf(level),
    }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index)[0]?.level;
}
