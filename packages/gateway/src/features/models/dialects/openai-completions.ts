/** The chat-completions dialect: OpenAI and everything compatible with it. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
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
    const { compat } = endpoint;
    return streamCall(
      deps,
      model,
      endpoint,
      {
        namespace: "openaiCompatible",
        model: (fetch) =>
          createOpenAICompatible({
            name: "openaiCompatible",
            baseURL: endpoint.baseUrl,
            ...(endpoint.apiKey === undefined ? {} : { apiKey: endpoint.apiKey }),
            headers: endpoint.headers,
            includeUsage: true,
            fetch,
            transformRequestBody: (body) => reshape(body, compat),
          }).chatModel(model.id),
        options: {
          prompt: toPrompt(model, request, {
            namespace: "openaiCompatible",
            imagesInResults: false,
            replayPlainThinking: endpoint.replaysReasoning,
          }),
          ...(request.tools.length > 0 ? { tools: toTools(request) } : {}),
          ...callSettings(request),
          ...(level === "off" || compat.supportsReasoningEffort === false ? {} : { reasoning: level }),
        },
      },
      signal,
    );
  },
});

function reshape(
  body: Record<string, unknown>,
  compat: {
    maxTokensField?: string | undefined;
    supportsStore?: boolean | undefined;
    supportsDeveloperRole?: boolean | undefined;
  },
) {
  const { max_tokens: maxTokens, messages, ...rest } = body;
  return {
    ...rest,
    messages: compat.supportsDeveloperRole && Array.isArray(messages) ? messages.map(asDeveloper) : messages,
    ...(maxTokens === undefined ? {} : { [compat.maxTokensField ?? "max_tokens"]: maxTokens }),
    ...(compat.supportsStore ? { store: false } : {}),
  };
}

const asDeveloper = (message: { role?: unknown }) =>
  message.role === "system" ? { ...message, role: "developer" } : message;
