/** What is added to a reply: the configured prefix, and the usage footer a session asked for (agent.md §13.3). */
import type { Ending } from "./ending.ts";
import type { LiveRun } from "./live-run.ts";
import type { TurnDeps } from "./turn-deps.ts";

/** `messages.responsePrefix` before the text, unless it is there already. */
export function withPrefix(
  text: string,
  run: LiveRun,
  ending: Ending,
  deps: Pick<TurnDeps, "config" | "directory">,
): string {
  const template = deps.config.current.messages.responsePrefix ?? run.request.route?.prefix;
  if (!template) return text;
  const name = deps.directory.identity(run.request.agentId).name ?? "";
  const values: Record<string, string> = {
    model: ending.model ?? "",
    modelFull: `${ending.provider ?? ""}/${ending.model ?? ""}`,
    provider: ending.provider ?? "",
    thinkingLevel: run.request.thinking ?? "",
    "identity.name": name,
  };
  const prefix =
    template === "auto"
      ? name && `[${name}]`
      : template.replace(/\{([a-zA-Z.]+)\}/g, (whole, key: string) =>
          Object.hasOwn(values, key) ? (values[key] ?? "") : whole,
        );
  return prefix === "" || text.startsWith(prefix) ? text : `${prefix} ${text}`;
}

/** Line below the reply when `/usage` is on; empty otherwise. */
export function usageFooter(run: LiveRun, ending: Ending, deps: Pick<TurnDeps, "sessions">): string {
  if (ending.state !== "ok" || ending.command || !ending.usage || !run.sessionKey) return "";
  const mode = deps.sessions.get(run.sessionKey)?.responseUsage;
  if (mode !== "tokens" && mode !== "full" && mode !== "on") return "";
  const { input, output, cacheRead, cacheWrite, cost } = ending.usage;
  const tokens = `Usage: ${input + cacheRead + cacheWrite} in / ${output} out`;
  const price = mode === "full" && cost.total > 0 ? ` · $${cost.total.toFixed(4)}` : "";
  return `\n\n${tokens}${price}${mode === "full" ? ` · session ${run.sessionKey}` : ""}`;
}
