/** How people name models: `provider/model`, an alias, or a bare id (agent.md §3.1). */
import { GatewayError } from "@openclaw/protocol";
import type { ModelEntry } from "./provider.ts";
import type { Registry } from "./registry.ts";
import { canonicalProvider, offlineModel, unknownProvider } from "./registry.ts";

/** What the config says about choosing models. */
export interface ModelSelection {
  primary?: string;
  fallbacks: string[];
  /** `agents.defaults.models`: aliases, and when not empty the models that may be chosen. */
  allow: Record<string, { alias?: string; params?: Record<string, unknown> }>;
  /** Caps every model's window, tokens. */
  contextTokens?: number;
}

const maxReference = 200;

/** Aliases that listed models have without being given one, first match wins. */
const impliedAliases: readonly [alias: string, model: RegExp][] = [
  ["opus", /claude-opus/],
  ["sonnet", /claude-sonnet/],
  ["gpt-mini", /gpt-.*mini/],
  ["gpt", /(^|\/)gpt-/],
  ["gemini-flash", /gemini.*flash/],
  ["gemini", /gemini/],
];

/** The entry a reference names, allowed or not. Throws GatewayError("invalid") when it names none. `fallbackProvider` is
 *  assumed for bare ids. */
export function lookUp(
  registry: Registry,
  selection: ModelSelection,
  reference: string,
  fallbackProvider: string | undefined,
): ModelEntry {
  const text = reference.trim();
  if (text === "" || text.length > maxReference || /[\s\p{Cc}]/u.test(text)) {
    throw new GatewayError(
      "invalid",
      'A model is named "provider/model", or by an alias from agents.defaults.models.',
      { details: { code: "INVALID_MODEL" } },
    );
  }
  const aliased = ofAlias(selection, text);
  if (aliased !== undefined && aliased !== text)
    return lookUp(registry, { ...selection, allow: {} }, aliased, fallbackProvider);
  const slash = text.indexOf("/");
  if (slash > 0 && slash < text.length - 1) {
    const provider = canonicalProvider(text.slice(0, slash));
    const entry = registry.entry(provider, text.slice(slash + 1));
    if (entry) return entry;
    if (provider === offlineModel.provider)
      throw new GatewayError("invalid", `The only offline model is ${offlineModel.ref}.`);
    throw unknownProvider(provider, registry.providerIds());
  }
  if (slash !== -1) throw new GatewayError("invalid", `"${text}" is not a model reference; write "provider/model".`);
  const provider = fallbackProvider ?? registry.list().find((entry) => entry.id === text)?.provider;
  const entry = provider === undefined ? undefined : registry.entry(provider, text);
  if (entry) return entry;
  throw new GatewayError(
    "invalid",
    `"${text}" is neither an alias in agents.defaults.models nor a "provider/model" reference.`,
    { details: { code: "UNKNOWN_MODEL" } },
  );
}

/** Throws GatewayError("invalid") naming the setting when the allowlist has entries and this model is none of them. */
export function assertAllowed(registry: Registry, selection: ModelSelection, entry: ModelEntry): void {
  if (isAllowed(registry, selection, entry)) return;
  throw new GatewayError(
    "invalid",
    `Model ${entry.ref} may not be chosen. Add it to agents.defaults.models, which lists the selectable models.`,
    {
      details: { code: "MODEL_NOT_ALLOWED", setting: "agents.defaults.models", model: entry.ref },
    },
  );
}

export function isAllowed(registry: Registry, selection: ModelSelection, entry: ModelEntry): boolean {
  const listed = Object.keys(selection.allow);
  if (listed.length === 0 || entry.ref === offlineModel.ref) return true;
  const named = [...listed, ...selection.fallbacks, ...(selection.primary === undefined ? [] : [selection.primary])];
  return named.some((reference) => reference === entry.ref || normalised(registry, selection, reference) === entry.ref);
}

/** The alias of a model, for lists. */
export function aliasOf(selection: ModelSelection, ref: string): string | undefined {
  return (
    selection.allow[ref]?.alias ??
    impliedAliases.find(([alias, model]) => model.test(ref) && ofAlias(selection, alias) === ref)?.[0]
  );
}

function ofAlias(selection: ModelSelection, text: string): string | undefined {
  const wanted = text.toLowerCase();
  const entries = Object.entries(selection.allow);
  const given = entries.find(([, { alias }]) => alias?.toLowerCase() === wanted)?.[0];
  if (given !== undefined) return given;
  // The first listed model of a family has the family's name, unless an earlier family already claims it.
  if (!impliedAliases.some(([alias]) => alias === wanted)) return undefined;
  return entries.find(
    ([ref, { alias }]) => alias === undefined && impliedAliases.find(([, model]) => model.test(ref))?.[0] === wanted,
  )?.[0];
}

function normalised(registry: Registry, selection: ModelSelection, reference: string): string | undefined {
  try {
    return lookUp(registry, selection, reference, undefined).ref;
  } catch {
    // A setting that names nothing allows nothing; config validation reports it.
    return undefined;
  }
}
