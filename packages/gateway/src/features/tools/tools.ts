/** Tools: the box a run takes its tools from, and the border every tool call crosses. */
import type { ConfigSource } from "../../config/section.ts";
import type { Logger } from "../../kernel/log.ts";
import { parseArguments, unsupportedKeyword } from "./arguments.ts";
import { LoopGuard } from "./loop-guard.ts";
import { allowedTools, toolName, type ToolPolicyConfig, type ToolRules } from "./policy.ts";
import { errorResult, type Tool, type ToolBox, type ToolContext, type ToolResult } from "./tool.ts";
import type { ToolsConfig } from "./tools.config.ts";

const maxOutputChars = 200_000;
const maxErrorChars = 4_000;
const maxWarnings = 100;

export type RunFacts = Parameters<ToolBox["forRun"]>[0];

export interface ToolsOptions {
  log: Logger;
  config: ConfigSource<{ tools: ToolsConfig }>;
  /** All tools, those of other rooms included. Names are unique. */
  tools: readonly Tool[];
  /** `tools` of the agent's own configuration. */
  agentPolicy?: (agentId: string) => ToolPolicyConfig | undefined;
  /** Layers 7 to 9 of agent.md §5.2: group and sender, sandbox, sub-agent. */
  narrower?: (run: RunFacts) => readonly ToolRules[];
}

export class Tools implements ToolBox {
  readonly #options: ToolsOptions;
  readonly #byName: ReadonlyMap<string, Tool>;
  readonly #guard = new LoopGuard();
  readonly #warned = new Set<string>();

  /** Throws when two tools share a name or a schema uses a keyword that would not be checked. */
  constructor(options: ToolsOptions) {
    this.#options = options;
    const byName = new Map<string, Tool>();
    for (const tool of options.tools) {
      const name = toolName(tool.name);
      if (name !== tool.name) throw new Error(`tool names are lower case and no alias: ${tool.name}`);
      if (byName.has(name)) throw new Error(`two tools are named ${name}`);
      const keyword = unsupportedKeyword(tool.params);
      if (keyword) throw new Error(`the schema of tool ${name} uses "${keyword}", which is not checked`);
      byName.set(name, tool);
    }
    this.#byName = byName;
  }

  /** Every registered tool, in order of registration. */
  all(): readonly Tool[] {
    return [...this.#byName.values()];
  }

  forRun(run: RunFacts): Tool[] {
    const names = allowedTools({
      tools: [...this.#byName.keys()],
      provider: run.provider,
      model: run.model,
      global: this.#options.config.current.tools as ToolPolicyConfig,
      agent: this.#options.agentPolicy?.(run.agentId),
      narrower: this.#options.narrower?.(run) ?? [],
      warn: (text) => this.#warnOnce(text),
    });
    const tools: Tool[] = [];
    for (const name of names) {
      const tool = this.#byName.get(name);
      if (!tool || (tool.ownerOnly && !run.owner) || tool.available?.() === false) continue;
      tools.push(tool);
    }
    return tools;
  }

  async call(tool: Tool, given: Record<string, unknown>, context: ToolContext): Promise<ToolResult> {
    if (context.signal.aborted) return aborted(tool);
    if (tool.ownerOnly && !context.owner) return errorResult(`${tool.name} is only for the owner of this gateway.`);
    const parsed = parseArguments(tool.params, given);
    if (!parsed.ok) return errorResult(`${tool.name}: ${parsed.problem}. Correct the arguments and call it again.`);
    const { args } = parsed;
    const loop = this.#options.config.current.tools.loopDetection;
    const count = this.#guard.count(context.runId, tool.name, args);
    if (loop.enabled && count >= loop.maxRepeats) {
      return errorResult(
        `${tool.name} was called ${count} times with the same arguments in this run and was not run again. Do something else, or answer with what is known.`,
      );
    }
    try {
      const result = await untilAborted(tool.run(args as never, context), context.signal);
      if (result === undefined) return aborted(tool);
      if (tool.polls) this.#guard.progressed(context.runId, tool.name, args, result.content);
      return capped(result);
    } catch (error) {
      if (context.signal.aborted) return aborted(tool);
      context.log.debug(`tool ${tool.name} failed`, { error });
      return errorResult(`${tool.name}: ${errorText(error)}`);
    }
  }

  #warnOnce(text: string): void {
    if (this.#warned.has(text) || this.#warned.size >= maxWarnings) return;
    this.#warned.add(text);
    this.#options.log.warn(text);
  }
}

const aborted = (tool: Tool): ToolResult => errorResult(`${tool.name}: stopped, because the run was aborted.`);

/** Undefined as soon as the run is aborted, even when the tool does not listen: what it returns later is dropped. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text === "" ? "failed without a reason" : text).slice(0, maxErrorChars).toWellFormed();
}

/** Text blocks cut to 200,000 characters in all, with a notice where the cut is. */
function capped(result: ToolResult): ToolResult {
  let left = maxOutputChars;
  let cut = 0;
  const content: ToolResult["content"] = [];
  for (const block of result.content) {
    if (block.type !== "text") content.push(block);
    else if (block.text.length <= left) {
      left -= block.text.length;
      content.push(block);
    } else {
      cut += block.text.length - left;
      if (left > 0) content.push({ ...block, text: block.text.slice(0, left).toWellFormed() });
      left = 0;
    }
  }
  if (cut === 0) return result;
  content.push({
    type: "text",
    text: `[The output was longer than ${maxOutputChars} characters; ${cut} were left out.]`,
  });
  return { ...result, content };
}
