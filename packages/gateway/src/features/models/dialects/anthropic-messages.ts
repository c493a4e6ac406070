/** The Anthropic messages dialect, with prompt caching on the system text and the last message. */
import { createAnthropic } from "@ai-sdk/anthropic";
import type { ModelProvider } from "../provider.ts";
import { effectiveThinking, thinkingBudgets } from "../thinking.ts";
import { streamCall } from "./call.ts";
import { toPrompt, toTools } from "./prompt.ts";
import { callSettings } from "./settings.ts";
import type { DialectDeps, Endpoint } from "./transport.ts";

export const provider = (deps: DialectDeps): ModelProvider => ({
  stream(model, request, signal) {
    const endpoint = deps.endpoint(model);
    const level = effectiveThinking(model, request.thinking);
    return streamCall(
      deps,
      model,
      endpoint,
      {
        namespace: "anthropic",
        model: (fetch) =>
          createAnthropic({
            baseURL: versioned(endpoint.baseUrl),
            ...credential(endpoint),
            headers: endpoint.headers,
            fetch,
          }).languageModel(model.id),
        options: {
          prompt: toPrompt(model, request, {
            namespace: "anthropic",
            bareSignature: "signature",
            imagesInResults: true,
            replayPlainThinking: false,
            cache: { anthropic: { cacheControl: { type: "ephemeral" } } },
          }),
          ...callSettings(request),
          maxOutputTokens: request.maxTokens ?? model.maxTokens,
          ...(request.tools.length > 0 ? { tools: toTools(request) } : {}),
          ...(level === "off" ? {} : { reasoning: level }),
          providerOptions: {
            anthropic: {
              ...(level === "off" || adaptive.test(model.id)
                ? {}
                : { thinking: { type: "enabled" as const, budgetTokens: thinkingBudgets[level] } }),
              // Compatible servers of others do not know the field.
              ...(model.provider === "anthropic" ? {} : { toolStreaming: false }),
            },
          },
        },
      },
      signal,
    );
  },
});

/** Models that choose their own budget and take an effort instead. */
const adaptive = /claude-(opus|sonnet|haiku|fable)-(4-[6-9]|[5-9])/;

const versioned = (baseUrl: string) => (/\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}/v1`);

/** Setup and OAuth tokens go as bearer tokens, keys as `x-api-key`. */
function credential(endpoint: Endpoint): { apiKey: string } | { authToken: string } {
  const key = endpoint.apiKey ?? "none";
  return endpoint.bearer || key.startsWith("sk-ant-oat") ? { authToken: key } : { apiKey: key };
}
