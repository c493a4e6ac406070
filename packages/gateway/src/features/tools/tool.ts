/** Contract of an agent tool. Effects come through the context; a tool that throws yields an error result, never a broken run. */
import type { ImageContent, TextContent } from "@openclaw/protocol";
import type { Static, TSchema } from "typebox";
import type { Logger } from "../../kernel/log.ts";

/** Who started the run: decides what exec may do without approvals (settled.md 10). */
export type RunOrigin = "operator" | "channel" | "cron" | "hook";

export interface ToolContext {
  runId: string;
  agentId: string;
  sessionKey: string;
  /** Absolute path, the default working directory. Exists. */
  workspace: string;
  origin: RunOrigin;
  /** Whether the sender is an owner (operators are). */
  owner: boolean;
  /** Aborted when the run stops: children must die, waits must end. */
  signal: AbortSignal;
  /** Announces progress (`tool` stream, phase update). Cheap; the caller throttles. */
  update(partial: ToolResult): void;
  /** Queues a line for the session's next prompt (agent.md §11.1). */
  systemEvent(text: string): void;
  log: Logger;
}

export interface ToolResult {
  content: (TextContent | ImageContent)[];
  /** For UIs; JSON. */
  details?: unknown;
  isError?: boolean;
}

export interface Tool<P extends TSchema = TSchema> {
  name: string;
  /** Short text for the model. */
  description: string;
  /** Flat TypeBox object, string enums, no unions at the top. */
  params: P;
  /** True when running it twice is not the same as once: after such a tool started a crashed run is not repeated (R-RUN-4). */
  effects: boolean;
  /** Removed for senders who are not owners. */
  ownerOnly?: boolean;
  /** Meant to be called again with the same arguments while its result changes: the loop guard then starts over. */
  polls?: boolean;
  /** Asked for every run; false hides the tool. Absent means always there. */
  available?: () => boolean;
  /** `params` are validated. May throw: the text becomes an error result. */
  run(params: Static<P>, context: ToolContext): Promise<ToolResult>;
}

/** Ties the type of `run` to `params`. */
export const tool = <P extends TSchema>(definition: Tool<P>): Tool => definition as unknown as Tool;

export const textResult = (text: string, details?: unknown): ToolResult => ({
  content: [{ type: "text", text }],
  ...(details === undefined ? {} : { details }),
});
export const errorResult = (text: string, details?: unknown): ToolResult => ({
  ...textResult(text, details),
  isError: true,
});

/** What the agents room needs. `Tools` in tools.ts implements it. */
export interface ToolBox {
  /** Tools of a run after policy (agent.md §5), by name, in a stable order. */
  forRun(run: {
    agentId: string;
    provider: string;
    model: string;
    owner: boolean;
    origin: RunOrigin;
    sessionKey: string;
  }): Tool[];
  /** Validates the arguments and runs the tool. Never throws: every failure is a result with isError. */
  call(tool: Tool, args: Record<string, unknown>, context: ToolContext): Promise<ToolResult>;
}
