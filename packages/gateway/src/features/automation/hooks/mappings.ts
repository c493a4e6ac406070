/** Rules that make a request to `<base>/<name>` into a wake or a run (http.md §12.7-12.11). */
import type { SectionValue } from "../../../config/section.ts";
import type { hooksSection } from "../hooks.config.ts";
import { render, type TemplateValues } from "./template.ts";

export type HooksConfig = SectionValue<typeof hooksSection>;
export type Mapping = NonNullable<HooksConfig["mappings"]>[number];

export interface FoundMapping {
  id: string;
  mapping: Mapping;
}

/** What a mapping says about a request; a transform may change it. */
export interface Mapped {
  kind: "agent" | "wake";
  fields: Record<string, unknown>;
}

const gmail = (config: HooksConfig): Mapping => ({
  id: "gmail",
  match: { path: "gmail" },
  action: "agent",
  wakeMode: "now",
  name: "Gmail",
  sessionKey: "hook:gmail:{{messages[0].id}}",
  messageTemplate:
    "New mail from {{messages[0].from}}\nSubject: {{messages[0].subject}}\n{{messages[0].snippet}}\n{{messages[0].body}}",
  ...(config.gmail?.model ? { model: config.gmail.model } : {}),
  ...(config.gmail?.thinking ? { thinking: config.gmail.thinking } : {}),
  ...(config.gmail?.allowUnsafeExternalContent ? { allowUnsafeExternalContent: true } : {}),
});

/** Own rules first, then presets; the first that fits. */
export function findMapping(config: HooksConfig, subPath: string, payload: unknown): FoundMapping | undefined {
  const presets = config.presets?.includes("gmail") ? [gmail(config)] : [];
  const all = [...(config.mappings ?? []), ...presets];
  const index = all.findIndex(({ match }) => {
    if (match?.path !== undefined && trimmed(match.path) !== subPath) return false;
    return match?.source === undefined || sourceOf(payload) === match.source;
  });
  const mapping = all[index];
  return mapping && { id: mapping.id ?? `mapping-${index + 1}`, mapping };
}

const trimmed = (path: string): string => path.trim().replace(/^\/+|\/+$/g, "");

const sourceOf = (payload: unknown): unknown =>
  typeof payload === "object" && payload !== null && Object.hasOwn(payload, "source")
    ? (payload as { source: unknown }).source
    : undefined;

export function applyMapping({ mapping }: FoundMapping, values: TemplateValues): Mapped {
  const text = (template: string | undefined) => {
    const said = template === undefined ? "" : render(template, values).trim();
    return said === "" ? undefined : said;
  };
  const { messageTemplate, textTemplate, wakeMode, deliver, channel, agentId, timeoutSeconds } = mapping;
  const fields = {
    text: text(textTemplate),
    message: text(messageTemplate),
    mode: wakeMode,
    wakeMode,
    name: text(mapping.name),
    sessionKey: text(mapping.sessionKey),
    to: text(mapping.to),
    model: text(mapping.model),
    thinking: text(mapping.thinking),
    allowUnsafeExternalContent: mapping.allowUnsafeExternalContent,
    deliver,
    channel,
    agentId,
    timeoutSeconds,
  };
  return { kind: mapping.action ?? "agent", fields: withoutUndefined(fields) };
}

const overridable = new Set(
  "text mode message wakeMode name sessionKey deliver allowUnsafeExternalContent channel to model thinking timeoutSeconds".split(
    " ",
  ),
);

/** Null from a transform: nothing is to happen. Anything else that is no object changes nothing. */
export function mergeOverrides(mapped: Mapped, overrides: unknown): Mapped | undefined {
  if (overrides === null) return undefined;
  if (typeof overrides !== "object" || Array.isArray(overrides)) return mapped;
  const kind = Object.hasOwn(overrides, "kind") ? (overrides as { kind: unknown }).kind : undefined;
  const own = Object.entries(overrides).filter(([name, value]) => overridable.has(name) && value !== undefined);
  return {
    kind: kind === "wake" || kind === "agent" ? kind : mapped.kind,
    fields: { ...mapped.fields, ...Object.fromEntries(own) },
  };
}

const withoutUndefined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
