/** Usage of one model call: normalised counts and their price (agent.md §3.9). */
import type { Usage } from "@openclaw/protocol";
import { emptyUsage } from "@openclaw/protocol";
import type { ModelEntry } from "./provider.ts";

export interface Counts {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** Counts that a provider left out stay zero; cost is zero when the model has no price. `input` excludes cached tokens. */
export function usageOf(model: Pick<ModelEntry, "cost">, counts: Counts): Usage {
  const usage = emptyUsage();
  usage.input = tokens(counts.input);
  usage.output = tokens(counts.output);
  usage.cacheRead = tokens(counts.cacheRead);
  usage.cacheWrite = tokens(counts.cacheWrite);
  usage.totalTokens = usage.input + usage.output + usage.cacheRead + usage.cacheWrite;
  if (model.cost) {
    const { cost } = usage;
    cost.input = (usage.input * model.cost.input) / 1e6;
    cost.output = (usage.output * model.cost.output) / 1e6;
    cost.cacheRead = (usage.cacheRead * model.cost.cacheRead) / 1e6;
    cost.cacheWrite = (usage.cacheWrite * model.cost.cacheWrite) / 1e6;
    cost.total = cost.input + cost.output + cost.cacheRead + cost.cacheWrite;
  }
  return usage;
}

const tokens = (value: number): number => (Number.isFinite(value) && value > 0 ? Math.round(value) : 0);
