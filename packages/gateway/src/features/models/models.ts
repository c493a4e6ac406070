/** Models: which one answers, and asking it (agent.md §3). */
import type { ConfigSource } from "../../config/section.ts";
import type { Logger } from "../../kernel/log.ts";
import { commandLine } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import { catalogue, defaultOrder } from "./catalogue.ts";
import { Cooldowns, cooldownKey } from "./cooldown.ts";
import type { Dialect } from "./dialects.ts";
import { dialects } from "./dialects.ts";
import type { Candidate } from "./failover.ts";
import { streamWithFailover } from "./failover.ts";
import type { LocalOffer } from "./local.ts";
import { discoverLocal } from "./local.ts";
import type { ModelsConfig } from "./models.config.ts";
import type {
  ModelApi,
  ModelDirectory,
  ModelEntry,
  ModelEvent,
  ModelProvider,
  ModelRequest,
  ThinkingLevel,
} from "./provider.ts";
import { parseThinkingLevel } from "./provider.ts";
import { RawStream, rawStreamPath } from "./raw-stream.ts";
import type { ModelSelection } from "./references.ts";
import { aliasOf, assertAllowed, isAllowed, lookUp } from "./references.ts";
import { Registry, offlineModel } from "./registry.ts";
import { defaultThinking } from "./thinking.ts";

export interface AgentModelSelection {
  primary?: string;
  fallbacks?: string[];
}

export interface ModelsOptions {
  world: World;
  log: Logger;
  config: ConfigSource<{ models: ModelsConfig }>;
  /** `agents.defaults.model`, `.models` and `.contextTokens` as they are now. */
  selection: () => ModelSelection;
  /** Overrides of one agent (`agents.list[].model`). */
  agentSelection?: (agentId: string) => AgentModelSelection | undefined;
  /** Told every secret that was read, before it is used. */
  redact?: (secret: string) => void;
  /** Silence after which a stream is given up, ms. */
  idleMs?: number;
}

/** Where the model in use comes from, for status and CLI. */
export interface ModelsDescription {
  model: ModelEntry;
  /** The built-in offline/echo answers because nothing else is set. */
  offline: boolean;
  /** For people: the model, or that none is configured and what to do. */
  summary: string;
  fallbacks: string[];
  providers: { id: string; name: string; auth: string; available: boolean }[];
  /** Found by `discoverLocal`. */
  local: LocalOffer[];
}

const defaultIdleMs = 120_000;

export class Models implements ModelDirectory {
  readonly #world: World;
  readonly #log: Logger;
  readonly #registry: Registry;
  readonly #selection: () => ModelSelection;
  readonly #agentSelection: (agentId: string) => AgentModelSelection | undefined;
  readonly #cooldowns: Cooldowns;
  readonly #idleMs: number;
  readonly #loaded = new Map<ModelApi, Promise<ModelProvider>>();
  readonly #raw: RawStream | undefined;
  #local: LocalOffer[] = [];

  constructor(options: ModelsOptions) {
    this.#world = options.world;
    this.#log = options.log;
    this.#registry = new Registry(options);
    this.#selection = options.selection;
    this.#agentSelection = options.agentSelection ?? (() => undefined);
    this.#cooldowns = new Cooldowns(() => options.world.monotonic());
    this.#idleMs = options.idleMs ?? defaultIdleMs;
    const path = rawStreamPath(options.world);
    if (path !== undefined) this.#raw = new RawStream({ world: options.world, log: options.log, path });
  }

  /** Never throws: a configured model that cannot be found is returned as unavailable, and says why in `auth`. */
  defaultModel(agentId?: string): ModelEntry {
    const selection = this.#selection();
    const wanted = (agentId === undefined ? undefined : this.#agentSelection(agentId)?.primary) ?? selection.primary;
    if (wanted === undefined) return this.#capped(this.#unconfigured());
    try {
      return this.#capped(lookUp(this.#registry, selection, wanted, this.#unconfiguredProvider()));
    } catch (error) {
      const text = wanted.slice(0, 200);
      const provider = text.includes("/") ? text.slice(0, text.indexOf("/")) : "unknown";
      return {
        ...offlineModel,
        ref: text,
        provider,
        id: text.slice(text.indexOf("/") + 1),
        name: text,
        api: "openai-completions",
        available: false,
        auth: error instanceof Error ? error.message : "unknown model",
      };
    }
  }

  resolve(reference: string): ModelEntry {
    const selection = this.#selection();
    const assumed = this.defaultModel();
    const entry = lookUp(
      this.#registry,
      selection,
      reference,
      assumed.available && assumed.api !== "offline" ? assumed.provider : undefined,
    );
    if (!reference.includes("/") && !entry.ref.endsWith(`/${offlineModel.id}`))
      this.#log.debug("a model was named without its provider", { reference, model: entry.ref });
    assertAllowed(this.#registry, selection, entry);
    return this.#capped(entry);
  }

  /** Models that may be chosen now; with an allowlist exactly those on it. The one in use comes first. */
  list(): ModelEntry[] {
    const selection = this.#selection();
    const byRef = new Map<string, ModelEntry>();
    const add = (entry: ModelEntry) => {
      if (isAllowed(this.#registry, selection, entry) && !byRef.has(entry.ref))
        byRef.set(entry.ref, this.#capped(entry));
    };
    add(this.defaultModel());
    for (const reference of [...selection.fallbacks, ...Object.keys(selection.allow)]) {
      const entry = this.#find(selection, reference);
      if (entry) add(entry);
    }
    for (const entry of this.#registry.list()) add(entry);
    return [...byRef.values()];
  }

  stream(
    model: ModelEntry,
    request: ModelRequest,
    options: { signal: AbortSignal; agentId: string; noFallback?: boolean },
  ): AsyncIterable<ModelEvent> {
    const models = options.noFallback || model.api === "offline" ? [model] : this.#chain(model, options.agentId);
    const candidates = models.map((entry) => this.#candidate(entry));
    const events = streamWithFailover(
      { world: this.#world, log: this.#log, cooldowns: this.#cooldowns, dialect: (entry) => this.#dialect(entry) },
      candidates.filter((candidate, index) => index === 0 || candidate.missing === undefined),
      request,
      options.signal,
    );
    return this.#raw === undefined ? events : this.#raw.tee(options.agentId, events);
  }

  /** `agents.defaults.models[ref].params.thinking` if it is a level, else by what the model can. */
  defaultThinking(model: ModelEntry): ThinkingLevel {
    const params = this.#selection().allow[model.ref]?.params;
    const configured = typeof params?.["thinking"] === "string" ? parseThinkingLevel(params["thinking"]) : undefined;
    return configured ?? defaultThinking(model);
  }

  /** The alias a model can be called by, if any. */
  alias(model: ModelEntry): string | undefined {
    return aliasOf(this.#selection(), model.ref);
  }

  /** Looks for local model servers and remembers them for `describe`. Call it after ready; never throws. */
  async discoverLocal(signal: AbortSignal): Promise<LocalOffer[]> {
    const offers = await discoverLocal(this.#world, signal);
    if (!signal.aborted) this.#local = offers;
    return offers;
  }

  /** What `discoverLocal` found. */
  get local(): readonly LocalOffer[] {
    return this.#local;
  }

  describe(agentId?: string): ModelsDescription {
    const model = this.defaultModel(agentId);
    const offline = model.ref === offlineModel.ref;
    const first = this.#local[0];
    const offer = first ? ` ${first.name} runs here: "${first.command}" selects it.` : "";
    const advice = `no model configured (${offlineModel.ref} repeats what you say). Set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY, or run "${commandLine(this.#world, "models set <provider/model>")}".${offer}`;
    return {
      model,
      offline,
      summary: offline ? advice : `${model.ref} (${model.auth})`,
      fallbacks: this.#fallbacks(agentId),
      providers: this.#registry.providerIds().map((id) => {
        const { source, available } = this.#registry.credential(id);
        return { id, name: this.#registry.providerName(id), auth: source, available };
      }),
      local: [...this.#local],
    };
  }

  /** What answers without any setting: the first provider with a key, a configured one with models, else offline/echo. */
  #unconfigured(): ModelEntry {
    for (const id of defaultOrder) {
      const model = catalogue.find((provider) => provider.id === id)?.defaultModel;
      const entry = model === undefined ? undefined : this.#registry.entry(id, model);
      if (entry?.available) return entry;
    }
    return (
      this.#registry
        .list()
        .find(
          (entry) =>
            entry.available &&
            !defaultOrder.some((id) => id === entry.provider) &&
            this.#registry.isConfigured(entry.provider),
        ) ?? offlineModel
    );
  }

  #unconfiguredProvider(): string | undefined {
    const { api, provider } = this.#unconfigured();
    return api === "offline" ? undefined : provider;
  }

  #fallbacks(agentId: string | undefined): string[] {
    const own = agentId === undefined ? undefined : this.#agentSelection(agentId)?.fallbacks;
    return own ?? this.#selection().fallbacks;
  }

  /** `[model, …fallbacks, primary]` without repetition (agent.md §3.5). */
  #chain(model: ModelEntry, agentId: string): ModelEntry[] {
    const selection = this.#selection();
    const own = this.#agentSelection(agentId);
    const chain = [model];
    const add = (entry: ModelEntry | undefined) => {
      if (entry && entry.api !== "offline" && !chain.some((present) => present.ref === entry.ref))
        chain.push(this.#capped(entry));
    };
    for (const reference of own?.fallbacks ?? selection.fallbacks) add(this.#find(selection, reference));
    if (own?.fallbacks === undefined && selection.primary !== undefined) add(this.#find(selection, selection.primary));
    return chain;
  }

  #candidate(model: ModelEntry): Candidate {
    if (model.api === "offline") return { model, cooldownKey: "offline:" };
    if (!this.#registry.has(model.provider)) {
      return {
        model,
        cooldownKey: `${model.provider}:`,
        missing: `${model.ref} cannot be used: provider "${model.provider}" is not known. Choose a model with "${commandLine(this.#world, "models set <provider/model>")}".`,
      };
    }
    const credential = this.#registry.credential(model.provider);
    const candidate = { model, cooldownKey: cooldownKey(model.provider, credential.key) };
    if (credential.available) return candidate;
    return {
      ...candidate,
      missing: `${this.#registry.providerName(model.provider)} has no key. ${this.#registry.keyHint(model.provider)}`,
    };
  }

  #find(selection: ModelSelection, reference: string): ModelEntry | undefined {
    try {
      return lookUp(this.#registry, selection, reference, this.#unconfiguredProvider());
    } catch (error) {
      this.#log.debug("a configured model cannot be used", { reference, error });
      return undefined;
    }
  }

  #dialect(model: ModelEntry): Promise<ModelProvider> {
    let loading = this.#loaded.get(model.api);
    if (!loading) {
      const dialect: Dialect | undefined = dialects.find((candidate) => candidate.id === model.api);
      if (!dialect) return Promise.reject(new Error(`no dialect ${model.api}`));
      loading = dialect
        .load()
        .then(({ provider }) =>
          provider({ world: this.#world, idleMs: this.#idleMs, endpoint: (entry) => this.#registry.endpoint(entry) }),
        );
      this.#loaded.set(model.api, loading);
      // A load that failed (disk full, file gone during an update) may succeed next time.
      loading.catch(() => this.#loaded.delete(model.api));
    }
    return loading;
  }

  #capped(entry: ModelEntry): ModelEntry {
    const cap = this.#selection().contextTokens;
    return cap !== undefined && cap < entry.contextWindow ? { ...entry, contextWindow: cap } : entry;
  }
}
