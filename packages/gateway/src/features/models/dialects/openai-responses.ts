/** The OpenAI responses dialect. Nothing is stored at the provider: reasoning travels encrypted in the transcript. */
import { createHash } from "node:crypto";
import { createOpenAI } from "@ai-sdk/openai";
import type { ModelProvider } from "../provider.ts";
import { effectiveThinking } from "../thinking.ts";
import { streamCall } from "./call.ts";
import { toPrompt, toTools } from "./prompt.ts";
import { callSettings } from "./settings.ts";
import type { DialectDeps } from "./transport.ts";

export const provider = (deps: DialectDeps): ModelProvider => ({
  stream(model, request, signal) {
    const endpoint = deps.endpoint(model);
    const level = effectiveThinking(model, request.thinking);
    return streamCall(
      deps,
      model,
      endpoint,
      {
        namespace: "openai",
        model: (fetch) =>
          createOpenAI({
            baseURL: endpoint.baseUrl,
            apiKey: endpoint.apiKey ?? "none",
            headers: endpoint.headers,
            fetch,
          }).responses(model.id),
        options: {
          prompt: toPrompt(model, request, { namespace: "openai", imagesInResults: true, replayPlainThinking: false }),
          ...(request.tools.length > 0 ? { tools: toTools(request) } : {}),
          ...callSettings(request),
          ...(level === "off" ? {} : { reasoning: level }),
          providerOptions: {
            openai: {
              store: false,
              strictJsonSchema: false,
              promptCacheKey: cacheKey(request.sessionKey),
              forceReasoning: model.reasoning,
              ...(level === "off" ? {} : { reasoningSummary: "auto" }),
            },
          },
        },
      },
      signal,
    );
  },
});

/** Stable per session; session keys may hold phone numbers, which are nobody else's business. */
const cacheKey = (sessionKey: string) => createHash("sha256").update(sessionKey).digest("base64url").slice(0, 32);
