/** What a caller asked of one model call beside its prompt. What a provider does not know it ignores. */
import type { JSONSchema7, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { ModelRequest } from "../provider.ts";

type Settings = Pick<
  LanguageModelV4CallOptions,
  | "maxOutputTokens"
  | "temperature"
  | "topP"
  | "presencePenalty"
  | "frequencyPenalty"
  | "seed"
  | "stopSequences"
  | "responseFormat"
>;

export function callSettings({ maxTokens, settings }: ModelRequest): Settings {
  const { format, ...rest } = settings ?? {};
  return {
    ...rest,
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(format === undefined
      ? {}
      : {
          responseFormat: {
            type: "json" as const,
            ...(format.schema ? { schema: format.schema as JSONSchema7 } : {}),
            ...(format.name ? { name: format.name } : {}),
          },
        }),
  };
}
