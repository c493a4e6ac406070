/** Real processes for tests of exec and process: a registry with a short grace, and looks at the system. */
import { readdirSync, readFileSync } from "node:fs";
import { silentLogger } from "../../kernel/log.ts";
import { coreTools } from "./core-tools.ts";
import type { ChildRecord } from "./leftovers.ts";
import { Processes } from "./processes.ts";
import type { ToolContext, ToolResult } from "./tool.ts";
import { Tools } from "./tools.ts";
import type { ToolsConfig } from "./tools.config.ts";
import { named, realWorld, toolContext, toolsConfig } from "./tools.fixture.ts";

export function processKit(
  workspace: string,

  options: { env?: Record<string, string>; change?: (tools: ToolsConfig) => void; agent?: "full" | "deny" } = {},
) {
  const world = realWorld(options.env);
  const config = toolsConfig((tools) => {
    tools.exec.killGraceMs = 200;
    options.change?.(tools);
  });
  const events: string[] = [];
  const records = new Map<number, ChildRecord>();
  const processes = new Processes({
    world,
    log: silentLogger,
    config,
    systemEvent: (key, text) => void events.push(`${key} ${text}`),
    ledger: {
      recordChild: (record) => void records.set(record.pid, record),
      forgetChild: (pid) => void records.delete(pid),
    },
  });
  const agentTools = () => (options.agent ? { exec: { security: options.agent } } : undefined);
  const tools = new Tools({ log: silentLogger, config, tools: coreTools({ world, config, processes, agentTools }) });
  let runs = 0;
  const call = (name: string, args: Record<string, unknown>, context: Partial<ToolContext> = {}): Promise<ToolResult> =>
    tools.call(named(tools.all(), name), args, toolContext(workspace, { runId: `run-${++runs}`, ...context }));
  return { world, config, processes, tools, call, events, records };
}

export const details = (result: ToolResult) =>
  result.details as Record<string, unknown> & { sessionId: string; pid: number };

/** Members of a process group that still run; zombies do not count. */
export function groupMembers(pgid: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/u.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(group) === pgid && state !== "Z" ? [Number(name)] : [];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}

export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const deadline = performance.now() + 8_000;
  const look = async () => {
    if (await check()) return resolve();
    if (performance.now() > deadline) return reject(new Error(`never happened: ${what}`));
    setTimeout(look, 10);
  };
  void look();
  return promise;
}
