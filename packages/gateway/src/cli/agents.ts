/** `agents list`: the agents the gateway runs, with what the config says of each. */
import { join } from "node:path";
import { defaultWorkspace, expandHome, displayPath } from "../kernel/paths.ts";
import type { Context } from "./command.ts";
import { list, record, textOf, withGateway } from "./rpc.ts";
import { table } from "./terminal/table.ts";

export async function run(context: Context): Promise<number> {
  const { io } = context;
  const { answer, config } = await withGateway(
    context,
    async ({ client, target }) => ({ answer: record(await client.callAny("agents.list", {})), config: target.config }),
    { timeoutMs: 10_000 },
  );
  const section = record(config.document.agents);
  const bindings = list(config.document.bindings).map(record);
  const agents = list(answer.agents).map((item) => {
    const agent = record(item);
    const id = textOf(agent.id);
    const own = record(list(section.list).find((entry) => textOf(record(entry).id) === id));
    const identity = record(agent.identity);
    const workspace = textOf(own.workspace) || textOf(record(section.defaults).workspace) || defaultWorkspace(io);
    const mine = bindings.filter((binding) => binding.agentId === id);
    return {
      id,
      ...(agent.name === undefined ? {} : { name: agent.name }),
      ...(identity.name === undefined ? {} : { identityName: identity.name }),
      ...(identity.emoji === undefined ? {} : { identityEmoji: identity.emoji }),
      workspace: expandHome(workspace, io),
      agentDir: textOf(own.agentDir) || join(config.stateDir, "agents", id, "agent"),
      ...(own.model === undefined ? {} : { model: textOf(own.model) || textOf(record(own.model).primary) }),
      bindings: mine.length,
      isDefault: id === answer.defaultId,
      ...(context.options.has("bindings")
        ? { routes: mine.map((binding) => JSON.stringify(binding.match ?? {})) }
        : {}),
    };
  });
  if (context.json) {
    context.printJson(agents);
    return 0;
  }
  const rows = agents.map((agent) => [
    `${agent.id}${agent.isDefault ? " (default)" : ""}`,
    textOf(agent.identityName) || textOf(agent.name),
    displayPath(agent.workspace, io),
    agent.model ?? "",
    String(agent.bindings),
  ]);
  context.print(...table(io, ["Agent", "Name", "Workspace", "Model", "Bindings"], rows));
  return 0;
}
