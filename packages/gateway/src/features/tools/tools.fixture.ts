/** What tests of this room share: a real World, default config, a temporary workspace, a context. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../kernel/log.ts";
import { systemWorld, type World } from "../../kernel/world.ts";
import type { Tool, ToolContext, ToolResult } from "./tool.ts";
import { type ToolsConfig, toolsSection } from "./tools.config.ts";

interface Node {
  type?: string;
  default?: unknown;
  properties?: Record<string, Node>;
}

function defaultsOf(node: Node): unknown {
  if (node.default !== undefined) return structuredClone(node.default);
  if (node.type !== "object" || !node.properties) return undefined;
  return Object.fromEntries(
    Object.entries(node.properties).flatMap(([key, child]) => {
      const value = defaultsOf(child);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

export const defaultTools = (): ToolsConfig => defaultsOf(toolsSection.schema as unknown as Node) as ToolsConfig;

/** Config whose parts a test may change. */
export const toolsConfig = (change: (tools: ToolsConfig) => void = () => {}) => {
  const tools = defaultTools();
  change(tools);
  return { current: { tools } };
};

export const realWorld = (env: Record<string, string | undefined> = {}): World =>
  systemWorld({ PATH: process.env.PATH, HOME: "/nonexistent", SHELL: "/bin/sh", ...env });

export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-tools-")));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }) };
}

export function toolContext(workspace: string, change: Partial<ToolContext> = {}): ToolContext {
  return {
    runId: "run-1",
    agentId: "main",
    sessionKey: "agent:main:main",
    workspace,
    origin: "operator",
    owner: true,
    signal: new AbortController().signal,
    update: () => {},
    systemEvent: () => {},
    log: silentLogger,
    ...change,
  };
}

export const textOf = (result: ToolResult): string =>
  result.content.map((part) => (part.type === "text" ? part.text : "")).join("");

export function named(tools: readonly Tool[], name: string): Tool {
  const found = tools.find((tool) => tool.name === name);
  if (!found) throw new Error(`no tool ${name}`);
  return found;
}
