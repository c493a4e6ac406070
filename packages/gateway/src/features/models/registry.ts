/** Providers, credentials and models as catalogue, config and environment give them right now. Reads, keeps nothing but
 *  which secrets it has reported. */
import { GatewayError } from "@openclaw/protocol";
import type { ConfigSource } from "../../config/section.ts";
import type { World } from "../../kernel/world.ts";
import type { CatalogueProvider } from "./catalogue.ts";
import { catalogue, providerSynonyms, shortNames, unlistedModel } from "./catalogue.ts";
import type { Endpoint } from "./dialects/transport.ts";
import type { ModelConfig, ModelsConfig, ProviderConfig } from "./models.config.ts";
import type { ModelEntry } from "./provider.ts";

export const offlineModel: ModelEntry = {
  ref: "offline/echo",
  provider: "offline",
  id: "echo",
  name: "no model configured",
  api: "offline",
  reasoning: false,
  input: ["text"],
  contextWindow: 200_000,
  maxTokens: 8_192,
  auth: "none needed",
  available: true,
};

export interface Credential {
  key?: string;
  /** For people; never the secret. */
  source: string;
  available: boolean;
}

const envName = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;
const maxReported = 256;

export class Registry {
  readonly #world: World;
  readonly #config: ConfigSource<{ models: ModelsConfig }>;
  readonly #redact: (secret: string) => void;
  readonly #reported = new Set<string>();

  constructor(options: {
    world: World;
    config: ConfigSource<{ models: ModelsConfig }>;
    redact?: ((secret: string) => void) | undefined;
  }) {
    this.#world = options.world;
    this.#config = options.config;
    this.#redact = options.redact ?? (() => {});
  }

  /** Ids of every provider there is, catalogue first. */
  providerIds(): string[] {
    const { mode, providers } = this.#config.current.models;
    const ids = new Set(mode === "replace" ? [] : catalogue.map((provider) => provider.id));
    for (const id of Object.keys(providers)) ids.add(canonicalProvider(id));
    return [...ids];
  }

  has(provider: string): boolean {
    const known = this.#lookup(provider);
    return (known.config?.baseUrl ?? known.listed?.baseUrl) !== undefined;
  }

  /** Whether the config names it. */
  isConfigured(provider: string): boolean {
    return this.#lookup(provider).config !== undefined;
  }

  providerName(provider: string): string {
    return this.#lookup(provider).listed?.name ?? provider;
  }

  /** Environment first, then `models.providers.<id>.apiKey`; endpoints on private addresses need none (agent.md §3.2). */
  credential(provider: string): Credential {
    const { config, listed } = this.#lookup(provider);
    for (const name of listed?.env ?? []) {
      const key = this.#world.env[name]?.trim();
      if (key) return { key: this.#report(key), source: `env ${name}`, available: true };
    }
    const configured = config?.apiKey?.trim();
    if (configured) {
      if (!envName.test(configured)) return { key: this.#report(configured), source: "config", available: true };
      const key = this.#world.env[configured]?.trim();
      if (key) return { key: this.#report(key), source: `env ${configured}`, available: true };
      return { source: `missing: ${configured} is not set`, available: false };
    }
    // The addresses of Ollama and LM Studio are known, but nobody said that they run.
    const local = config?.baseUrl !== undefined && isPrivate(config.baseUrl);
    const builtInLocal = config?.baseUrl === undefined && listed !== undefined && isPrivate(listed.baseUrl);
    if (local || builtInLocal) return { source: "none needed", available: true };
    if (hasOwnAuth(config?.headers)) return { source: "config headers", available: true };
    return { source: "missing", available: false };
  }

  /** What to do about a missing key, for people. */
  keyHint(provider: string): string {
    const name = this.#lookup(provider).listed?.env.at(-1);
    return `${name ? `Set ${name}, or ` : "Set "}models.providers.${provider}.apiKey.`;
  }

  /** The entry of a model; ids that are not listed get cautious defaults. Undefined when the provider is unknown. */
  entry(provider: string, id: string): ModelEntry | undefined {
    if (provider === offlineModel.provider) return id === offlineModel.id ? offlineModel : undefined;
    if (!this.has(provider)) return undefined;
    const { config, listed } = this.#lookup(provider);
    const modelId = provider === "anthropic" ? (shortNames[id.toLowerCase()] ?? id) : id;
    const own = config?.models.find((model) => model.id === modelId);
    const known = listed?.models.find((model) => model.id === modelId);
    const base = { ...unlistedModel, ...(known ?? listed?.unlisted) };
    const credential = this.credential(provider);
    const cost = own?.cost ?? known?.cost;
    return {
      ref: `${provider}/${modelId}`,
      provider,
      id: modelId,
      name: own?.name ?? known?.name ?? modelId,
      api: own?.api ?? config?.api ?? listed?.api ?? "openai-completions",
      reasoning: own?.reasoning ?? base.reasoning,
      input: own?.input ?? base.input,
      contextWindow: own?.contextWindow ?? base.contextWindow,
      maxTokens: own?.maxTokens ?? base.maxTokens,
      ...(cost ? { cost } : {}),
      auth: credential.source,
      available: credential.available,
    };
  }

  /** Models of providers that can be asked, and configured ones; the local catalogue providers list nothing by themselves. */
  list(): ModelEntry[] {
    const entries: ModelEntry[] = [];
    for (const provider of this.providerIds()) {
      const { config, listed } = this.#lookup(provider);
      const ids = new Set([
        ...(config?.models ?? []).map((model) => model.id),
        ...(listed?.models ?? []).map((model) => model.id),
      ]);
      for (const id of ids) {
        const entry = this.entry(provider, id);
        if (entry && (entry.available || config)) entries.push(entry);
      }
    }
    return entries;
  }

  /** Throws GatewayError when the provider has been taken out of the config. */
  endpoint(model: ModelEntry): Endpoint {
    const { config, listed } = this.#lookup(model.provider);
    const baseUrl = config?.baseUrl ?? listed?.baseUrl;
    if (baseUrl === undefined) throw unknownProvider(model.provider, this.providerIds());
    const own = config?.models.find((candidate) => candidate.id === model.id);
    const { key } = this.credential(model.provider);
    const headers = { ...config?.headers, ...own?.headers };
    for (const value of Object.values(headers)) this.#report(value);
    return {
      baseUrl: baseUrl.replace(/\/+$/, ""),
      providerName: this.providerName(model.provider),
      ...(key === undefined ? {} : { apiKey: key }),
      bearer: config?.authHeader === true || config?.auth === "token" || config?.auth === "oauth",
      headers,
      compat: { maxTokensField: listed?.maxTokensField, ...withoutUndefined(own?.compat) },
      replaysReasoning: listed?.replaysReasoning ?? false,
    };
  }

  #lookup(provider: string): { config: ProviderConfig | undefined; listed: CatalogueProvider | undefined } {
    const { mode, providers } = this.#config.current.models;
    const key = Object.hasOwn(providers, provider)
      ? provider
      : Object.keys(providers).find((id) => canonicalProvider(id) === provider);
    const config = key === undefined ? undefined : providers[key];
    // A configured provider keeps the catalogue's knowledge of its own ids in `replace` mode only if it names no models.
    const useListed = mode !== "replace" || (config !== undefined && config.models.length === 0);
    return { config, listed: useListed ? catalogue.find((candidate) => candidate.id === provider) : undefined };
  }

  #report(secret: string): string {
    if (secret.length >= 6 && !this.#reported.has(secret)) {
      if (this.#reported.size >= maxReported) this.#reported.clear();
      this.#reported.add(secret);
      this.#redact(secret);
    }
    return secret;
  }
}

export function canonicalProvider(id: string): string {
  const lower = id.trim().toLowerCase();
  return Object.hasOwn(providerSynonyms, lower) ? (providerSynonyms[lower] ?? lower) : lower;
}

export function unknownProvider(provider: string, known: readonly string[]): GatewayError {
  return new GatewayError(
    "invalid",
    `Unknown model provider "${provider.slice(0, 80)}". Set models.providers.${provider.slice(0, 80)}.baseUrl, or use one of: ${known.join(", ")}.`,
    { details: { code: "UNKNOWN_PROVIDER" } },
  );
}

/** Loopback, private and link-local addresses, and names that only resolve at home. */
export function isPrivate(baseUrl: string): boolean {
  if (!URL.canParse(baseUrl)) return false;
  const host = new URL(baseUrl).hostname.toLowerCase();
  return (
    /^(localhost|.*\.(localhost|local|lan|internal|home\.arpa)|host\.docker\.internal)$/.test(host) ||
    /^(127|10)\.\d+\.\d+\.\d+$|^192\.168\.\d+\.\d+$|^172\.(1[6-9]|2\d|3[01])\.\d+\.\d+$|^169\.254\.\d+\.\d+$/.test(
      host,
    ) ||
    /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$/.test(host) ||
    /^\[(::1|f[cd][0-9a-f]{2}:.*|fe80:.*)\]$/.test(host)
  );
}

const hasOwnAuth = (headers: Record<string, string> | undefined) =>
  Object.keys(headers ?? {}).some((name) => /^(authorization|x-api-key|api-key|x-goog-api-key)$/i.test(name));

function withoutUndefined(compat: ModelConfig["compat"]): Endpoint["compat"] {
  return Object.fromEntries(Object.entries(compat ?? {}).filter(([, value]) => value !== undefined));
}
