/** Protocol handlers of the agents room (protocol.md §10, §13.3-13.5). */
import type { MethodResult } from "@openclaw/protocol";
import type { Handles, Identity } from "../../kernel/call.ts";
import { assertSameAgent, type Caller } from "./admission.ts";
import type { Agents } from "./agents.ts";
import { isStopWord } from "./commands/parse.ts";
import { commands } from "./commands/table.ts";
import { agentAnswer, chatAnswer } from "./outcome.ts";

type Names =
  | "agent"
  | "agent.wait"
  | "agent.identity.get"
  | "agents.list"
  | "chat.send"
  | "chat.abort"
  | "commands.list";

const callerOf = (identity: Identity): Caller => ({
  principal: identity.principal,
  owner: identity.can("operator.admin"),
  sender: identity.deviceId
    ? `device ${identity.deviceId.slice(0, 12)} (${identity.client.id})`
    : `${identity.client.id} with the shared secret`,
});

export const agentMethods = (agents: Agents) =>
  ({
    async agent(params, call) {
      const admitted = await agents.agent(params, callerOf(call.identity));
      if ("ended" in admitted) return agentAnswer(admitted.ended);
      const { run, fresh } = admitted;
      call.followRun(run.runId);
      call.ack({ runId: run.runId, status: "accepted", acceptedAt: run.acceptedAt });
      if (fresh) agents.runs.begin(run);
      return agentAnswer(await run.ended.promise);
    },

    async "chat.send"(params, call): Promise<MethodResult<"chat.send">> {
      if (isStopWord(params.message) && !params.attachments?.length) {
        const sessionKey = agents.deps.sessions.canonicalKey(params.sessionKey);
        const runIds = await agents.abort(sessionKey, { reason: "stop" });
        return { ok: true, aborted: runIds.length > 0, runIds };
      }
      const admitted = await agents.chat(params, callerOf(call.identity));
      if ("ended" in admitted) return chatAnswer(admitted.ended);
      const { run, fresh } = admitted;
      call.followRun(run.runId);
      if (!fresh) return { runId: run.runId, status: "in_flight" };
      agents.runs.begin(run);
      return { runId: run.runId, status: "started" };
    },

    async "chat.abort"(params) {
      const sessionKey = agents.deps.sessions.canonicalKey(params.sessionKey);
      const runIds = await agents.abort(sessionKey, {
        reason: "rpc",
        ...(params.runId === undefined ? {} : { runId: params.runId }),
      });
      return { ok: true, aborted: runIds.length > 0, runIds };
    },

    "agent.wait": (params, call) => agents.wait(params, call.signal),

    "agent.identity.get"(params) {
      const { directory, deps } = agents;
      const asked = params.agentId === undefined ? undefined : directory.require("agent.identity.get", params.agentId);
      if (!params.sessionKey?.trim()) return directory.card(asked ?? directory.defaultId());
      return directory.card(
        assertSameAgent("agent.identity.get", asked, deps.sessions.canonicalKey(params.sessionKey, asked), deps),
      );
    },

    "agents.list": () => agents.directory.summaries(),

    "commands.list": () => ({
      commands: commands.map(({ name, aliases = [], args, summary }) => ({
        name,
        aliases: [...aliases],
        ...(args ? { args } : {}),
        description: summary,
      })),
    }),
  }) satisfies Handles<Names>;
