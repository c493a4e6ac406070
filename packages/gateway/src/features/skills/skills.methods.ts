/** Handlers of `skills.*` (protocol.md §13.13). */
import type { Handles } from "../../kernel/call.ts";
import type { Skills } from "./skills.ts";

export const skillsMethods = (skills: Skills) =>
  ({
    "skills.status": ({ agentId }) => ({
      workspaceDir: skills.workspaceDir(agentId),
      managedSkillsDir: skills.managedDir,
      skills: skills.list(agentId).map((skill) => {
        const { requires, ...rest } = skill;
        return { ...rest, bundled: false, blockedByAllowlist: false, requirements: requires };
      }),
    }),
    "skills.bins": () => ({ bins: skills.bins() }),
  }) satisfies Handles<"skills.status" | "skills.bins">;
