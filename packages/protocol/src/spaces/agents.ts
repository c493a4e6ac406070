/** The configured agents and their workspace files (protocol.md §13.4). */
import { method } from "../define.ts";
import { agentId, bool, choice, closed, count, list, model, ms, ok, open, opt, str, str1 } from "../fields.ts";

export const AgentIdentity = model("AgentIdentity", {
  name: opt(str),
  theme: opt(str),
  emoji: opt(str),
  avatar: opt(str),
  avatarUrl: opt(str),
});

export const AgentSummary = model("AgentSummary", { id: str1, name: opt(str), identity: opt(AgentIdentity) });

export const agentsList = method({
  name: "agents.list",
  scope: "operator.read",
  summary: "The agents of this gateway, the default one first.",
  params: closed({}),
  result: open({
    defaultId: str1,
    mainKey: str1,
    scope: choice("per-sender", "global"),
    agents: list(AgentSummary),
  }),
});

export const agentsCreate = method({
  name: "agents.create",
  scope: "operator.admin",
  summary: "Adds an agent; its id is the slug of the name.",
  planned: true,
  params: closed({ name: str1, workspace: str1, emoji: opt(str), avatar: opt(str) }),
  result: open({ ok, agentId: str1, name: str, workspace: str }),
});

export const agentsUpdate = method({
  name: "agents.update",
  scope: "operator.admin",
  summary: "Changes name, workspace, model or avatar of an agent.",
  planned: true,
  params: closed({ agentId, name: opt(str1), workspace: opt(str1), model: opt(str1), avatar: opt(str) }),
  result: open({ ok, agentId: str1 }),
});

export const agentsDelete = method({
  name: "agents.delete",
  scope: "operator.admin",
  summary: "Removes an agent and its bindings; its files go to the trash unless `deleteFiles` is false.",
  planned: true,
  params: closed({ agentId, deleteFiles: opt(bool) }),
  result: open({ ok, agentId: str1, removedBindings: count }),
});

export const AgentFile = model("AgentFile", {
  name: str1,
  path: str,
  missing: bool,
  size: opt(count),
  updatedAtMs: opt(ms),
  content: opt(str),
});

export const agentsFilesList = method({
  name: "agents.files.list",
  scope: "operator.read",
  summary: "The bootstrap files of an agent's workspace, without content.",
  planned: true,
  params: closed({ agentId }),
  result: open({ agentId: str1, workspace: str, files: list(AgentFile) }),
});

export const agentsFilesGet = method({
  name: "agents.files.get",
  scope: "operator.read",
  summary: "One bootstrap file with its content; a missing file says so.",
  planned: true,
  params: closed({ agentId, name: str1 }),
  result: open({ agentId: str1, workspace: str, file: AgentFile }),
});

export const agentsFilesSet = method({
  name: "agents.files.set",
  scope: "operator.admin",
  summary: "Writes one bootstrap file.",
  planned: true,
  params: closed({ agentId, name: str1, content: str }),
  result: open({ ok, agentId: str1, workspace: str, file: AgentFile }),
});
