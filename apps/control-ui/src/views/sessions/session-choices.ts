/** What a person may choose for one session, and what of it changed. Pure. */
import type { MethodParams } from "@openclaw/protocol";
import type { SessionRow } from "../../chat/session-title.ts";

type Patch = Omit<MethodParams<"sessions.patch">, "key">;
const fields = [
  "label",
  "model",
  "thinkingLevel",
  "verboseLevel",
  "reasoningLevel",
  "responseUsage",
  "sendPolicy",
] as const;
export type ChoiceName = (typeof fields)[number];
/** Empty: inherited. */
export type Choices = Record<ChoiceName, string>;

export interface SessionDefaults {
  modelProvider: string | null;
  model: string | null;
}

/** The model of a row is the one in use: one that is not the default was chosen for the session. */
export function choicesOf(row: SessionRow, defaults: SessionDefaults): Choices {
  const { modelProvider, model } = row;
  const chosen = model !== null && (model !== defaults.model || modelProvider !== defaults.modelProvider);
  return {
    label: row.label ?? "",
    model: chosen ? [modelProvider, model].filter(Boolean).join("/") : "",
    thinkingLevel: row.thinkingLevel ?? "",
    verboseLevel: row.verboseLevel ?? "",
    reasoningLevel: row.reasoningLevel ?? "",
    responseUsage: row.responseUsage ?? "",
    sendPolicy: row.sendPolicy ?? "",
  };
}

/** Only what changed; an emptied choice is given back to the default. */
export function patchOf(before: Choices, after: Choices): Patch {
  const patch: Record<string, string | null> = {};
  for (const name of fields) {
    const value = after[name].trim();
    if (value !== before[name]) patch[name] = value === "" ? null : value;
  }
  return patch;
}
