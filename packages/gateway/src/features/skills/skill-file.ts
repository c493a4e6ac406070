/** One SKILL.md: what it says about itself. */
import { parseFrontMatter, type Yaml } from "./front-matter.ts";

export interface Requirements {
  bins: string[];
  anyBins: string[];
  env: string[];
  config: string[];
  os: string[];
}

export interface InstallOption {
  id: string;
  kind: string;
  label: string;
  bins: string[];
}

export interface SkillFile {
  name: string;
  description: string;
  skillKey: string;
  primaryEnv?: string;
  emoji?: string;
  homepage?: string;
  always: boolean;
  requires: Requirements;
  install: InstallOption[];
}

const maxNameChars = 64;
const maxDescriptionChars = 1_024;
const maxItems = 50;

/** Throws when the file does not describe a skill. */
export function parseSkillFile(text: string, directoryName: string): SkillFile {
  const head = parseFrontMatter(text);
  if (!head) throw new Error("SKILL.md has no front matter between --- lines");
  const name = word(head.name) ?? directoryName;
  const description = word(head.description);
  if (description === undefined) throw new Error("SKILL.md has no description");
  const metadata = mapping(typeof head.metadata === "string" ? parsed(head.metadata) : head.metadata);
  const own = mapping(metadata.openclaw ?? metadata.clawdbot ?? metadata.moltbot);
  const requires = mapping(own.requires);
  const primaryEnv = word(own.primaryEnv);
  const emoji = word(own.emoji);
  const homepage = word(own.homepage) ?? word(head.homepage);
  return {
    name: oneLine(name).slice(0, maxNameChars),
    description: oneLine(description).slice(0, maxDescriptionChars),
    skillKey: word(own.skillKey) ?? oneLine(name).slice(0, maxNameChars),
    ...(primaryEnv ? { primaryEnv } : {}),
    ...(emoji ? { emoji } : {}),
    ...(homepage ? { homepage } : {}),
    always: own.always === true,
    requires: {
      bins: words(requires.bins),
      anyBins: words(requires.anyBins),
      env: words(requires.env),
      config: words(requires.config),
      os: words(own.os ?? requires.os),
    },
    install: list(own.install).map((item, at) => installOption(mapping(item), at)),
  };
}

function installOption(value: { [key: string]: Yaml }, at: number): InstallOption {
  const kind = word(value.kind) ?? "download";
  const bins = words(value.bins);
  return {
    id: word(value.id) ?? `${kind}-${at}`,
    kind,
    label: word(value.label) ?? `Install ${bins.join(", ") || kind}`,
    bins,
  };
}

function parsed(text: string): Yaml {
  try {
    return JSON.parse(text) as Yaml;
  } catch {
    // Prose where JSON is expected: the skill simply has no requirements.
    return null;
  }
}

const mapping = (value: Yaml | undefined): { [key: string]: Yaml } =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
const list = (value: Yaml | undefined): Yaml[] => (Array.isArray(value) ? value.slice(0, maxItems) : []);
const word = (value: Yaml | undefined): string | undefined =>
  typeof value === "string" && value.trim() !== ""
    ? value.trim()
    : typeof value === "number"
      ? String(value)
      : undefined;
const words = (value: Yaml | undefined): string[] =>
  typeof value === "string" ? [value] : list(value).flatMap((item) => word(item) ?? []);
const oneLine = (text: string): string => text.replaceAll(/\s+/gu, " ").trim();
