/** The tools this room owns, ready to be given to `Tools`. */
import type { ConfigSource } from "../../config/section.ts";
import type { World } from "../../kernel/world.ts";
import { editTool } from "./edit.tool.ts";
import { execTool } from "./exec.tool.ts";
import { FileTurns } from "./file-access.ts";
import { processTool } from "./process.tool.ts";
import type { Processes } from "./processes.ts";
import { readTool } from "./read.tool.ts";
import type { Tool } from "./tool.ts";
import type { AgentToolsConfig, ToolsConfig } from "./tools.config.ts";
import type { Resolver } from "./url-guard.ts";
import { webFetchTool } from "./web-fetch.tool.ts";
import { writeTool } from "./write.tool.ts";

export interface CoreToolsOptions {
  world: World;
  config: ConfigSource<{ tools: ToolsConfig }>;
  processes: Processes;
  /** `tools` of the agent's own configuration; its `exec.security` replaces the global one. */
  agentTools?: (agentId: string) => AgentToolsConfig | undefined;
  /** Looks host names up for web_fetch; the system's resolver unless given. */
  resolve?: Resolver;
}

/** read, write, edit, exec, process and web_fetch. */
export function coreTools(options: CoreToolsOptions): Tool[] {
  const { world, config, processes } = options;
  const files = { world, workspaceOnly: () => config.current.tools.fs.workspaceOnly, turns: new FileTurns() };
  return [
    readTool(files),
    writeTool(files),
    editTool(files),
    execTool({ world, config, processes, agentTools: options.agentTools }),
    processTool({ processes }),
    webFetchTool({ world, config, resolve: options.resolve }),
  ];
}
