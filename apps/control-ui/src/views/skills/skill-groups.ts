/** Skills as a person looks for them: by source, and by words. Pure. */
import type { MethodResult } from "@openclaw/protocol";
import type { Tone } from "../../ui/index.ts";

export type Skill = MethodResult<"skills.status">["skills"][number];

export interface SkillGroup {
  source: string;
  skills: Skill[];
}

/** Every word must be in the name, the description or the source; groups stand in the order of their first skill. */
export function groupsOf(skills: readonly Skill[], text: string): SkillGroup[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, Skill[]>();
  for (const skill of skills) {
    const hay = `${skill.name} ${skill.description} ${skill.source}`.toLowerCase();
    if (!words.every((word) => hay.includes(word))) continue;
    groups.set(skill.source, [...(groups.get(skill.source) ?? []), skill]);
  }
  return [...groups].map(([source, list]) => ({ source, skills: list }));
}

export function skillState({ disabled, blockedByAllowlist, eligible, always }: Skill): { tone: Tone; text: string } {
  if (disabled) return { tone: "idle", text: "switched off" };
  if (blockedByAllowlist) return { tone: "warn", text: "not on the list of allowed skills" };
  if (!eligible) return { tone: "warn", text: "something is missing" };
  return { tone: "ok", text: always ? "always in use" : "ready" };
}

/** What the skill still needs, as sentences. */
export function missingOf({ missing }: Skill): string[] {
  const { bins, anyBins, env, config, os } = missing;
  return [
    bins.length > 0 && `The programs ${bins.join(", ")}.`,
    anyBins.length > 0 && `One of the programs ${anyBins.join(", ")}.`,
    env.length > 0 && `The environment variables ${env.join(", ")}.`,
    config.length > 0 && `The settings ${config.join(", ")}.`,
    os.length > 0 && `Another system: ${os.join(" or ")}.`,
  ].filter((text): text is string => text !== false);
}
