/** The patch table of `sessions.patch` (protocol.md §13.6): what each key accepts, how it is stored, what is said otherwise. */
import { GatewayError, type MethodParams } from "@openclaw/protocol";
import { isSubagentKey } from "./keys.ts";
import type { SessionEntry } from "./types.ts";

export type PatchParams = MethodParams<"sessions.patch">;
type Changes = { [K in keyof SessionEntry]?: SessionEntry[K] | undefined };

export interface PatchContext {
  /** Throws a GatewayError whose text names the model. */
  resolveModel(ref: string): { provider: string; model: string };
  defaults: { modelProvider: string; model: string };
  /** `provider/model` of those that know the level xhigh; undefined when every model may be asked. */
  xhighModels?: readonly string[] | undefined;
}

const refuse = (message: string) => new GatewayError("invalid", message);

const thinkingWords: Record<string, string> = Object.fromEntries(
  Object.entries({
    off: "off none disable disabled",
    minimal: "minimal min think",
    low: "low on enable enabled thinkhard think-hard think_hard",
    medium: "medium mid med harder thinkharder think-harder think_harder",
    high: "high ultra ultrathink think-ultra highest max",
    xhigh: "xhigh x-high x_high",
  }).flatMap(([level, words]) => words.split(" ").map((word) => [word, level])),
);

/** Thinking level behind a word a person may use; undefined when it is none. */
export function thinkingLevelOf(word: string): string | undefined {
  const key = word.trim().toLowerCase();
  return Object.hasOwn(thinkingWords, key) ? thinkingWords[key] : undefined;
}

const yesNo: Record<string, string> = { true: "on", yes: "on", "1": "on", false: "off", no: "off", "0": "off" };

interface Choice {
  values: readonly string[];
  /** Values as the error text lists them. */
  said: readonly string[];
  /** This value clears the field. */
  clears?: string;
  /** Other words for values. */
  words?: Record<string, string>;
}

const choices = {
  verboseLevel: { values: ["off", "on", "full"], said: ["on", "off"], words: yesNo },
  reasoningLevel: { values: ["off", "on", "stream"], said: ["on", "off", "stream"], clears: "off", words: yesNo },
  responseUsage: {
    values: ["off", "tokens", "full"],
    said: ["off", "tokens", "full"],
    clears: "off",
    words: { on: "tokens" },
  },
  elevatedLevel: { values: ["off", "on", "ask", "full"], said: ["on", "off", "ask", "full"], words: yesNo },
  execHost: { values: ["sandbox", "gateway", "node"], said: ["sandbox", "gateway", "node"] },
  execSecurity: { values: ["deny", "allowlist", "full"], said: ["deny", "allowlist", "full"] },
  execAsk: { values: ["off", "on-miss", "always"], said: ["off", "on-miss", "always"] },
  sendPolicy: { values: ["allow", "deny"], said: ["allow", "deny"] },
  groupActivation: { values: ["mention", "always"], said: ["mention", "always"] },
} as const satisfies Record<string, Choice>;

/** The changes a patch makes to `entry`; undefined clears a field. Throws GatewayError("invalid") with the wire's texts. */
export function changesOf(entry: SessionEntry, patch: PatchParams, context: PatchContext): Changes {
  const changes: Changes = {};
  for (const [name, choice] of Object.entries(choices) as [keyof typeof choices, Choice][]) {
    const value = patch[name];
    if (value !== undefined) changes[name] = value === null ? undefined : chosen(name, value, choice);
  }
  if (patch.label !== undefined) changes.label = patch.label === null ? undefined : checkedLabel(patch.label);
  if (patch.execNode !== undefined)
    changes.execNode = patch.execNode === null ? undefined : checkedNode(patch.execNode);
  if (patch.model !== undefined) Object.assign(changes, modelChange(patch.model, context));
  if (patch.thinkingLevel !== undefined) {
    changes.thinkingLevel =
      patch.thinkingLevel === null ? undefined : thinkingChange(entry, changes, patch.thinkingLevel, context);
  }
  if (patch.spawnedBy !== undefined) changes.spawnedBy = setOnce(entry, "spawnedBy", patch.spawnedBy);
  if (patch.spawnDepth !== undefined) changes.spawnDepth = setOnce(entry, "spawnDepth", patch.spawnDepth);
  return changes;
}

function chosen(name: string, value: string, choice: Choice): string | undefined {
  const word = value.trim().toLowerCase();
  const level = choice.words && Object.hasOwn(choice.words, word) ? (choice.words[word] ?? word) : word;
  if (!choice.values.includes(level)) {
    throw refuse(`invalid ${name} (use ${choice.said.map((said) => `"${said}"`).join("|")})`);
  }
  return level === choice.clears ? undefined : level;
}

function checkedLabel(input: string): string {
  const label = input.trim();
  if (label === "") throw refuse("invalid label: empty");
  if (label.length > 64) throw refuse("invalid label: too long (max 64)");
  if (!label.isWellFormed()) throw refuse("invalid label: broken characters");
  return label;
}

function checkedNode(input: string): string {
  const node = input.trim();
  if (node === "") throw refuse("invalid execNode: empty");
  return node;
}

function modelChange(ref: string | null, context: PatchContext): Changes {
  if (ref !== null && ref.trim() === "") throw refuse("invalid model: empty");
  const model = ref === null ? undefined : context.resolveModel(ref.trim());
  const isDefault = model?.provider === context.defaults.modelProvider && model.model === context.defaults.model;
  const override = isDefault ? undefined : model;
  // What answered last belongs to the former choice.
  return {
    providerOverride: override?.provider,
    modelOverride: override?.model,
    modelProvider: undefined,
    model: undefined,
    contextTokens: undefined,
  };
}

function thinkingChange(
  entry: SessionEntry,
  changes: Changes,
  word: string,
  context: PatchContext,
): string | undefined {
  const level = thinkingLevelOf(word);
  if (level === undefined) {
    const xhigh = context.xhighModels === undefined || context.xhighModels.length > 0 ? "|xhigh" : "";
    throw refuse(`invalid thinkingLevel (use off|minimal|low|medium|high${xhigh})`);
  }
  const after = "modelOverride" in changes ? changes : entry;
  const ref = `${after.providerOverride ?? context.defaults.modelProvider}/${after.modelOverride ?? context.defaults.model}`;
  if (level === "xhigh" && context.xhighModels && !context.xhighModels.includes(ref)) {
    throw refuse(
      `thinkingLevel "xhigh" is only supported for ${context.xhighModels.join(", ") || "no configured model"}`,
    );
  }
  return level === "off" ? undefined : level;
}

/** Only for sub-agents, and never changed again. */
function setOnce<Name extends "spawnedBy" | "spawnDepth">(
  entry: SessionEntry,
  name: Name,
  value: SessionEntry[Name] | null,
): SessionEntry[Name] {
  const before = entry[name];
  if (value === null) {
    if (before !== undefined) throw refuse(`${name} cannot be cleared once set`);
    return before;
  }
  if (typeof value === "string" && value.trim() === "") throw refuse(`invalid ${name}: empty`);
  if (!isSubagentKey(entry.key)) throw refuse(`${name} is only supported for subagent:* sessions`);
  if (before !== undefined && before !== value) throw refuse(`${name} cannot be changed once set`);
  return value;
}
