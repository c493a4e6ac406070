/** Handler of `tools.catalog` (protocol.md §13.13). */
import { GatewayError } from "@openclaw/protocol";
import type { Handles } from "../../kernel/call.ts";
import { allowedTools, toolGroups } from "./policy.ts";
import type { Tools } from "./tools.ts";

const labels: Readonly<Record<string, string>> = {
  fs: "Files",
  runtime: "Commands",
  sessions: "Sessions",
  memory: "Memory",
  web: "Web",
  ui: "Browser and canvas",
  automation: "Automation",
  messaging: "Messages",
  nodes: "Nodes",
  other: "Other",
};
const profiles = [
  { id: "minimal", label: "Minimal" },
  { id: "coding", label: "Coding" },
  { id: "messaging", label: "Messaging" },
  { id: "full", label: "Full" },
];

export const toolsMethods = (tools: Tools, agents: { defaultId: () => string; has: (agentId: string) => boolean }) =>
  ({
    "tools.catalog": ({ agentId = agents.defaultId() }) => {
      if (!agents.has(agentId)) throw new GatewayError("invalid", `unknown agent id "${agentId}"`);
      const left = new Map(tools.all().map((tool) => [tool.name, tool]));
      const inProfile = new Map(
        profiles.map(({ id }) => {
          const request = { tools: [...left.keys()], provider: "", model: "", global: { profile: id } };
          return [id, new Set(allowedTools(request))] as const;
        }),
      );
      const groups = [...Object.entries(toolGroups), ["group:other", [...left.keys()]] as const].map(
        ([group, names]) => {
          const id = group.slice("group:".length);
          const members = names.flatMap((name) => left.get(name) ?? []);
          for (const tool of members) left.delete(tool.name);
          return {
            id,
            label: labels[id] ?? id,
            source: "core" as const,
            tools: members.map((tool) => ({
              id: tool.name,
              label: tool.name,
              description: tool.description,
              source: "core" as const,
              defaultProfiles: profiles.map((profile) => profile.id).filter((id) => inProfile.get(id)?.has(tool.name)),
            })),
          };
        },
      );
      return { agentId, profiles, groups: groups.filter((group) => group.tools.length > 0) };
    },
  }) satisfies Handles<"tools.catalog">;
