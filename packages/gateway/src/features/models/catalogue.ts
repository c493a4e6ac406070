/** The built-in catalogue: providers reached by an environment key, and a handful of well-known models. It is a convenience,
 *  not a gate: any id of a known provider works (agent.md §3.2). Prices are US dollars per million tokens and stand only
 *  where they are known. */
import type { ModelApi } from "./provider.ts";

export interface CatalogueModel {
  id: string;
  name: string;
  reasoning: boolean;
  input: ("text" | "image")[];
  contextWindow: number;
  maxTokens: number;
  cost?: { input: number; output: number; cacheRead: number; cacheWrite: number };
}

export interface CatalogueProvider {
  id: string;
  name: string;
  api: ModelApi;
  baseUrl: string;
  /** Environment variables that hold a key, best first. */
  env: readonly string[];
  /** Used when nothing is configured and this provider has a key; a `404` then says which command chooses another. */
  defaultModel?: string;
  /** Properties of ids that are not listed. */
  unlisted?: Partial<Pick<CatalogueModel, "reasoning" | "input" | "contextWindow" | "maxTokens">>;
  /** Field that limits the answer on the completions wire. */
  maxTokensField?: "max_completion_tokens";
  /** Thinking of the running tool loop must be sent back (`reasoning_content`). */
  replaysReasoning?: boolean;
  models: readonly CatalogueModel[];
}

/** Which provider answers when no model is configured: the first of these with a key (settled.md 12). */
export const defaultOrder = ["anthropic", "openai", "google", "openrouter"] as const;

/** What a model has when nobody said (agent.md §3.2, 3.8). */
export const unlistedModel = {
  reasoning: false,
  input: ["text"] as ("text" | "image")[],
  contextWindow: 200_000,
  maxTokens: 8_192,
};

type Row = [id: string, name: string, window: number, maxTokens: number, cost?: [number, number, number, number]];

const rows =
  (reasoning: boolean, input: ("text" | "image")[]) =>
  (...list: Row[]): CatalogueModel[] =>
    list.map(([id, name, contextWindow, maxTokens, cost]) => ({
      id,
      name,
      reasoning,
      input,
      contextWindow,
      maxTokens,
      ...(cost ? { cost: { input: cost[0], output: cost[1], cacheRead: cost[2], cacheWrite: cost[3] } } : {}),
    }));
const thinking = rows(true, ["text", "image"]);
const thinkingText = rows(true, ["text"]);
const plain = rows(false, ["text", "image"]);

const seeingThinker = { reasoning: true, input: ["text", "image"] as ("text" | "image")[] };

export const catalogue: readonly CatalogueProvider[] = [
  {
    id: "anthropic",
    name: "Anthropic",
    api: "anthropic-messages",
    baseUrl: "https://api.anthropic.com",
    env: ["ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"],
    defaultModel: "claude-opus-5-5",
    unlisted: { ...seeingThinker, maxTokens: 32_000 },
    models: thinking(
      ["claude-opus-5-5", "Claude Opus 5.5", 200_000, 64_000],
      ["claude-sonnet-5-5", "Claude Sonnet 5.5", 200_000, 64_000],
      ["claude-haiku-5-5", "Claude Haiku 5.5", 200_000, 64_000],
      ["claude-opus-4-5", "Claude Opus 4.5", 200_000, 64_000, [5, 25, 0.5, 6.25]],
      ["claude-sonnet-4-5", "Claude Sonnet 4.5", 200_000, 64_000, [3, 15, 0.3, 3.75]],
      ["claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, [1, 5, 0.1, 1.25]],
    ),
  },
  {
    id: "openai",
    name: "OpenAI",
    api: "openai-responses",
    baseUrl: "https://api.openai.com/v1",
    env: ["OPENAI_API_KEY"],
    defaultModel: "gpt-5.5",
    unlisted: { ...seeingThinker, maxTokens: 32_000 },
    maxTokensField: "max_completion_tokens",
    models: [
      ...thinking(
        ["gpt-6.1-sol", "GPT-6.1 Sol", 272_000, 128_000],
        ["gpt-5.5", "GPT-5.5", 272_000, 128_000],
        ["gpt-5.4-mini", "GPT-5.4 mini", 272_000, 128_000],
        ["gpt-5.2", "GPT-5.2", 272_000, 128_000, [1.75, 14, 0.175, 0]],
        ["gpt-5-mini", "GPT-5 mini", 272_000, 128_000, [0.25, 2, 0.025, 0]],
      ),
      ...plain(
        ["gpt-4.1", "GPT-4.1", 1_047_576, 32_768, [2, 8, 0.5, 0]],
        ["gpt-4o", "GPT-4o", 128_000, 16_384, [2.5, 10, 1.25, 0]],
        ["gpt-4o-mini", "GPT-4o mini", 128_000, 16_384, [0.15, 0.6, 0.075, 0]],
      ),
    ],
  },
  {
    id: "google",
    name: "Google Gemini",
    api: "google-generative-ai",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    env: ["GEMINI_API_KEY"],
    defaultModel: "gemini-pro-latest",
    unlisted: { ...seeingThinker, contextWindow: 1_048_576, maxTokens: 65_536 },
    models: thinking(
      ["gemini-pro-latest", "Gemini Pro (latest)", 1_048_576, 65_536],
      ["gemini-flash-latest", "Gemini Flash (latest)", 1_048_576, 65_536],
      ["gemini-3.8-flash", "Gemini 3.8 Flash", 1_048_576, 65_536],
      ["gemini-3-pro-preview", "Gemini 3 Pro (preview)", 1_048_576, 65_536, [2, 12, 0.2, 0]],
      ["gemini-2.5-pro", "Gemini 2.5 Pro", 1_048_576, 65_536, [1.25, 10, 0.31, 0]],
      ["gemini-2.5-flash", "Gemini 2.5 Flash", 1_048_576, 65_536, [0.3, 2.5, 0.075, 0]],
    ),
  },
  {
    id: "openrouter",
    name: "OpenRouter",
    api: "openai-completions",
    baseUrl: "https://openrouter.ai/api/v1",
    env: ["OPENROUTER_API_KEY"],
    defaultModel: "openrouter/auto",
    models: [
      ...plain(["openrouter/auto", "OpenRouter Auto", 200_000, 8_192]),
      ...thinking(["anthropic/claude-sonnet-4.5", "Claude Sonnet 4.5", 200_000, 64_000, [3, 15, 0.3, 3.75]]),
    ],
  },
  completions("groq", "Groq", "https://api.groq.com/openai/v1", ["GROQ_API_KEY"], {
    defaultModel: "openai/gpt-oss-120b",
    models: thinkingText(["openai/gpt-oss-120b", "GPT-OSS 120B", 131_072, 32_768]),
  }),
  completions("xai", "xAI", "https://api.x.ai/v1", ["XAI_API_KEY"], {
    defaultModel: "grok-4",
    models: thinking(["grok-4", "Grok 4", 256_000, 64_000, [3, 15, 0.75, 0]]),
  }),
  completions("mistral", "Mistral", "https://api.mistral.ai/v1", ["MISTRAL_API_KEY"], {
    defaultModel: "mistral-large-latest",
    models: plain(["mistral-large-latest", "Mistral Large (latest)", 128_000, 16_384]),
  }),
  completions("cerebras", "Cerebras", "https://api.cerebras.ai/v1", ["CEREBRAS_API_KEY"], {
    defaultModel: "gpt-oss-120b",
    models: thinkingText(["gpt-oss-120b", "GPT-OSS 120B", 131_072, 32_768]),
  }),
  completions("deepseek", "DeepSeek", "https://api.deepseek.com/v1", ["DEEPSEEK_API_KEY"], {
    defaultModel: "deepseek-chat",
    replaysReasoning: true,
    unlisted: { contextWindow: 128_000 },
    models: rows(false, ["text"])(["deepseek-chat", "DeepSeek Chat", 128_000, 8_192]),
  }),
  completions("moonshot", "Moonshot AI", "https://api.moonshot.ai/v1", ["MOONSHOT_API_KEY"], {
    defaultModel: "kimi-k2.5",
    replaysReasoning: true,
    models: thinking(["kimi-k2.5", "Kimi K2.5", 256_000, 32_768]),
  }),
  completions("zai", "Z.AI", "https://api.z.ai/api/paas/v4", ["ZAI_API_KEY"], {
    defaultModel: "glm-4.7",
    replaysReasoning: true,
    models: thinkingText(["glm-4.7", "GLM-4.7", 200_000, 65_536]),
  }),
  completions("vercel-ai-gateway", "Vercel AI Gateway", "https://ai-gateway.vercel.sh/v1", ["AI_GATEWAY_API_KEY"]),
  completions("synthetic", "Synthetic", "https://api.synthetic.new/openai/v1", ["SYNTHETIC_API_KEY"]),
  completions("venice", "Venice", "https://api.venice.ai/api/v1", ["VENICE_API_KEY"]),
  {
    id: "minimax",
    name: "MiniMax",
    api: "anthropic-messages",
    baseUrl: "https://api.minimax.io/anthropic",
    env: ["MINIMAX_API_KEY"],
    defaultModel: "MiniMax-M2.1",
    models: thinkingText(["MiniMax-M2.1", "MiniMax M2.1", 200_000, 8_192]),
  },
  completions("ollama", "Ollama", "http://127.0.0.1:11434/v1", ["OLLAMA_API_KEY"], {
    unlisted: { contextWindow: 32_768 },
  }),
  completions("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1", [], { unlisted: { contextWindow: 32_768 } }),
];

/** Other spellings of provider ids (agent.md §3.1). */
export const providerSynonyms: Readonly<Record<string, string>> = {
  "z.ai": "zai",
  "z-ai": "zai",
  "opencode-zen": "opencode",
  qwen: "qwen-portal",
  gemini: "google",
  "lm-studio": "lmstudio",
};

/** Short Anthropic names people type (agent.md §3.1). */
export const shortNames: Readonly<Record<string, string>> = {
  "opus-4.5": "claude-opus-4-5",
  "sonnet-4.5": "claude-sonnet-4-5",
  "haiku-4.5": "claude-haiku-4-5",
  "opus-5.5": "claude-opus-5-5",
  "sonnet-5.5": "claude-sonnet-5-5",
  "haiku-5.5": "claude-haiku-5-5",
};

function completions(
  id: string,
  name: string,
  baseUrl: string,
  env: string[],
  rest: Partial<CatalogueProvider> = {},
): CatalogueProvider {
  return { id, name, api: "openai-completions", baseUrl, env, models: [], ...rest };
}
