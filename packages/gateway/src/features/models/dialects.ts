/** Catalogue of wire dialects. Each is loaded at its first use, so that a gateway starts without any provider library. */
import type { DialectDeps } from "./dialects/transport.ts";
import type { ModelApi, ModelProvider } from "./provider.ts";

export interface Dialect {
  id: ModelApi;
  summary: string;
  load: () => Promise<{ provider: (deps: DialectDeps) => ModelProvider }>;
}

export const dialects: readonly Dialect[] = [
  {
    id: "openai-completions",
    summary: "OpenAI chat completions and compatible servers",
    load: () => import("./dialects/openai-completions.ts"),
  },
  { id: "openai-responses", summary: "OpenAI responses", load: () => import("./dialects/openai-responses.ts") },
  { id: "anthropic-messages", summary: "Anthropic messages", load: () => import("./dialects/anthropic-messages.ts") },
  {
    id: "google-generative-ai",
    summary: "Google generateContent",
    load: () => import("./dialects/google-generative-ai.ts"),
  },
  { id: "offline", summary: "No model configured: echoes the message", load: () => import("./dialects/offline.ts") },
];
