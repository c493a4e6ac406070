/** The Google generateContent dialect. */
import { createGoogle } from "@ai-sdk/google";
import type { ModelProvider, ThinkingLevel } from "../provider.ts";
import { effectiveThinking, thinkingBudgets } from "../thinking.ts";
import { streamCall } from "./call.ts";
import { toPrompt, toTools } from "./prompt.ts";
import { callSettings } from "./settings.ts";
import type { DialectDeps } from "./transport.ts";

export const provider = (deps: DialectDeps): ModelProvider => ({
  stream(model, request, signal) {
    const endpoint = deps.endpoint(model);
    const level = effectiveThinking(model, request.thinking);
    const headers =
      endpoint.bearer && endpoint.apiKey
        ? { ...endpoint.headers, Authorization: `Bearer ${endpoint.apiKey}` }
        : endpoint.headers;
    return streamCall(
      deps,
      model,
      endpoint,
      {
        namespace: "google",
        model: (fetch) =>
          createGoogle({
            baseURL: endpoint.baseUrl,
            apiKey: endpoint.apiKey ?? "none",
            headers,
            fetch,
            generateId: () => deps.world.uuid(),
          }).languageModel(model.id),
        options: {
          prompt: toPrompt(model, request, {
            namespace: "google",
            bareSignature: "thoughtSignature",
            imagesInResults: true,
            replayPlainThinking: false,
          }),
          ...(request.tools.length > 0 ? { tools: toTools(request) } : {}),
          ...callSettings(request),
          ...(level === "off"
            ? {}
            : {
                reasoning: level,
                providerOptions: { google: { thinkingConfig: { includeThoughts: true, ...budget(model.id, level) } } },
              }),
        },
      },
      signal,
    );
  },
});

/** Gemini up to 2.5 takes a number of tokens; later ones take a level, which the library names. */
const budget = (id: string, level: Exclude<ThinkingLevel, "off">) =>
  /gemini-(1|2)[.-]/.test(id) ? { thinkingBudget: thinkingBudgets[level] } : {};
