/** Skills (protocol.md §13.13). */
import { Type } from "typebox";
import { method } from "../define.ts";
import {
  agentId,
  anyObject,
  bool,
  closed,
  int,
  json,
  list,
  map,
  model,
  nullable,
  ok,
  open,
  opt,
  str,
  str1,
  strings,
} from "../fields.ts";

const Needs = model("SkillNeeds", { bins: strings, anyBins: strings, env: strings, config: strings, os: strings });

export const SkillStatus = model("SkillStatus", {
  name: str1,
  description: str,
  source: str,
  bundled: bool,
  filePath: str,
  baseDir: str,
  skillKey: str1,
  primaryEnv: opt(str),
  emoji: opt(str),
  homepage: opt(str),
  always: bool,
  disabled: bool,
  blockedByAllowlist: bool,
  eligible: bool,
  requirements: Needs,
  missing: Needs,
  configChecks: list(open({ path: str, value: opt(json), satisfied: bool })),
  install: list(open({ id: str, kind: str, label: str, bins: strings })),
});

export const skillsStatus = method({
  name: "skills.status",
  scope: "operator.read",
  summary: "Skills of an agent's workspace and what each still needs.",
  params: closed({ agentId: opt(agentId) }),
  result: open({ workspaceDir: str, managedSkillsDir: str, skills: list(SkillStatus) }),
});

export const skillsBins = method({
  name: "skills.bins",
  scope: "node",
  summary: "Names of the programs that skills use, sorted.",
  params: closed({}),
  result: open({ bins: strings }),
});

export const skillsInstall = method({
  name: "skills.install",
  scope: "operator.admin",
  summary: "Installs what a skill needs.",
  planned: true,
  params: closed({ name: str1, installId: str1, timeoutMs: opt(Type.Integer({ minimum: 1000 })) }),
  result: open({ ok: bool, message: str, stdout: str, stderr: str, code: nullable(int) }),
});

export const skillsUpdate = method({
  name: "skills.update",
  scope: "operator.admin",
  summary: "Switches a skill on or off and sets its key and environment.",
  planned: true,
  params: closed({ skillKey: str1, enabled: opt(bool), apiKey: opt(str), env: opt(map(str)) }),
  result: open({ ok, skillKey: str1, config: anyObject }),
});
