/** What clients of protocol 4 ask first and what they may find empty here (protocol.md §16.6), and the tool catalogue. */
import { method } from "../define.ts";
import { agentId, anyObject, bool, choice, closed, list, model, open, opt, str, str1, strings } from "../fields.ts";

export const questionList = method({
  name: "question.list",
  scope: "operator.read",
  summary: "Questions that wait for an answer.",
  since: 4,
  params: open({}),
  result: open({ questions: list(anyObject) }),
});

export const pluginApprovalList = method({
  name: "plugin.approval.list",
  scope: "operator.approvals",
  summary: "Plugin approvals that wait for a decision.",
  since: 4,
  params: open({}),
  result: list(anyObject),
});

export const taskSuggestionsList = method({
  name: "taskSuggestions.list",
  scope: "operator.read",
  summary: "Suggested tasks.",
  since: 4,
  params: open({}),
  result: open({ suggestions: list(anyObject) }),
});

export const commandsList = method({
  name: "commands.list",
  scope: "operator.read",
  summary: "Slash commands of the chat.",
  since: 4,
  params: open({}),
  result: open({ commands: list(anyObject) }),
});

const source = choice("core", "plugin");

export const toolsCatalog = method({
  name: "tools.catalog",
  scope: "operator.read",
  summary: "Tools and tool profiles an agent can be given.",
  params: closed({ agentId: opt(agentId), includePlugins: opt(bool) }),
  result: open({
    agentId: str1,
    profiles: list(open({ id: str1, label: str })),
    groups: list(
      model("ToolGroup", {
        id: str1,
        label: str,
        source,
        pluginId: opt(str),
        tools: list(
          model("ToolEntry", {
            id: str1,
            label: str,
            description: str,
            source,
            pluginId: opt(str),
            defaultProfiles: opt(strings),
          }),
        ),
      }),
    ),
  }),
});
