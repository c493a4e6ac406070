/** What this room offers its own agents: session_status, agents_list and the session tools (agent.md §4.8). */
import { Type } from "typebox";
import { errorResult, textResult, tool, type Tool } from "../tools/index.ts";
import type { Agents } from "./agents.ts";
import { statusText } from "./commands/status-text.ts";
import { ownSession, sessionTools } from "./sessions.tool.ts";

export const agentTools = (agents: Agents): Tool[] => [
  ...sessionTools(agents),
  tool({
    name: "session_status",
    description:
      "Status of a session: model, context, levels, queue. `model` sets the session's model; `default` goes back.",
    params: Type.Object(
      {
        sessionKey: Type.Optional(Type.String({ description: "Default: this session." })),
        model: Type.Optional(Type.String({ description: "provider/model, alias or `default`." })),
      },
      { additionalProperties: false },
    ),
    effects: false,
    async run(params, context) {
      const { deps } = agents;
      const key = ownSession(agents, params.sessionKey, context);
      if (typeof key !== "string") return key;
      if (params.model !== undefined) {
        const model = params.model.toLowerCase() === "default" ? undefined : deps.models.resolve(params.model);
        await deps.store.commit((tx) =>
          deps.sessions.update(tx, key, { providerOverride: model?.provider, modelOverride: model?.id }),
        );
      }
      const session = deps.sessions.get(key);
      if (!session) return errorResult(`There is no session ${key}.`);
      const run = { sessionKey: key, request: { agentId: session.agentId } };
      return textResult(statusText({ run, deps, session, gateway: agents.gateway }), { sessionKey: key });
    },
  }),
  tool({
    name: "agents_list",
    description: "Ids of the agents this agent may start sub-agents as.",
    params: Type.Object({}, { additionalProperties: false }),
    effects: false,
    async run(_params, context) {
      const subagents = agents.directory.listed(context.agentId)?.subagents as { allowAgents?: unknown } | undefined;
      const allowed = Array.isArray(subagents?.allowAgents) ? subagents.allowAgents.map(String) : [];
      const ids = agents.directory
        .list()
        .filter((id) => id === context.agentId || allowed.includes("*") || allowed.includes(id));
      return textResult(ids.join("\n"), { requester: context.agentId, agents: ids });
    },
  }),
];
