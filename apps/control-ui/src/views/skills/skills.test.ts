import { expect, test } from "vitest";
import { groupsOf, missingOf, skillState, type Skill } from "./skill-groups.ts";

const nothing = { bins: [], anyBins: [], env: [], config: [], os: [] };
const skill = (name: string, more: Partial<Skill> = {}): Skill => ({
  name,
  description: `Does ${name}.`,
  source: "workspace",
  bundled: false,
  filePath: "",
  baseDir: "",
  skillKey: name,
  always: false,
  disabled: false,
  blockedByAllowlist: false,
  eligible: true,
  requirements: nothing,
  missing: nothing,
  configChecks: [],
  install: [],
  ...more,
});

test("skills are grouped by source and found by every word", () => {
  const skills = [skill("weather"), skill("calendar", { source: "managed" }), skill("wine")];
  expect(groupsOf(skills, "").map(({ source, skills: list }) => `${source} ${list.length}`)).toEqual([
    "workspace 2",
    "managed 1",
  ]);
  expect(groupsOf(skills, "does WINE").flatMap(({ skills: list }) => list.map(({ name }) => name))).toEqual(["wine"]);
  expect(groupsOf(skills, "nothing")).toEqual([]);
});

test("a skill says whether it can be used, and what it still needs", () => {
  expect(skillState(skill("a")).text).toBe("ready");
  expect(skillState(skill("a", { disabled: true, eligible: false })).text).toBe("switched off");
  const poor = skill("a", { eligible: false, missing: { ...nothing, bins: ["gh"], env: ["GH_TOKEN"] } });
  expect(skillState(poor).text).toBe("something is missing");
  expect(missingOf(poor)).toEqual(["The programs gh.", "The environment variables GH_TOKEN."]);
});
