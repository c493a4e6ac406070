/** Config section `models`: providers beyond the built-in catalogue, and models of their own (agent.md §3.2). */
import { Type } from "typebox";
import type { SectionValue } from "../../config/section.ts";
import { section } from "../../config/section.ts";

const api = () =>
  Type.Union(
    [
      Type.Literal("openai-completions"),
      Type.Literal("openai-responses"),
      Type.Literal("anthropic-messages"),
      Type.Literal("google-generative-ai"),
    ],
    { description: "Wire dialect the endpoint speaks. Default: the catalogue's, else openai-completions." },
  );

const headers = () =>
  Type.Record(Type.String(), Type.String(), { description: "Extra request headers.", sensitive: true });

const dollars = (what: string) =>
  Type.Number({ default: 0, minimum: 0, description: `US dollars per million ${what}.` });

const model = Type.Object(
  {
    id: Type.String({ minLength: 1, description: "The provider's own name of the model." }),
    name: Type.Optional(Type.String({ description: "Name for people. Default: the id." })),
    api: Type.Optional(api()),
    reasoning: Type.Boolean({ default: false, description: "Whether the model can think before it answers." }),
    input: Type.Array(Type.Union([Type.Literal("text"), Type.Literal("image")]), {
      default: ["text"],
      description: "What the model reads.",
    }),
    cost: Type.Optional(
      Type.Object(
        {
          input: dollars("input tokens"),
          output: dollars("output tokens"),
          cacheRead: dollars("tokens read from the cache"),
          cacheWrite: dollars("tokens written to the cache"),
        },
        { additionalProperties: false, description: "Price; cost is not shown without it." },
      ),
    ),
    contextWindow: Type.Optional(
      Type.Integer({ minimum: 1, description: "Tokens the model can read. Default 200000." }),
    ),
    maxTokens: Type.Optional(Type.Integer({ minimum: 1, description: "Tokens the model may write. Default 8192." })),
    headers: Type.Optional(headers()),
    compat: Type.Optional(
      Type.Object(
        {
          supportsStore: Type.Optional(Type.Boolean({ description: "The endpoint accepts `store`." })),
          supportsDeveloperRole: Type.Optional(
            Type.Boolean({ description: "System text may use the role `developer`." }),
          ),
          supportsReasoningEffort: Type.Optional(
            Type.Boolean({ description: "The endpoint accepts `reasoning_effort`." }),
          ),
          maxTokensField: Type.Optional(
            Type.Union([Type.Literal("max_tokens"), Type.Literal("max_completion_tokens")], {
              description: "Name of the field that limits the answer.",
            }),
          ),
        },
        { additionalProperties: false, description: "What an OpenAI-compatible endpoint does differently." },
      ),
    ),
  },
  { additionalProperties: false, description: "One model of the provider." },
);

const provider = Type.Object(
  {
    baseUrl: Type.Optional(
      Type.String({
        description: "Address of the API, e.g. http://127.0.0.1:11434/v1. Needed for providers outside the catalogue.",
      }),
    ),
    apiKey: Type.Optional(
      Type.String({ description: "The key, or the NAME of an environment variable that holds it.", sensitive: true }),
    ),
    auth: Type.Union([Type.Literal("api-key"), Type.Literal("aws-sdk"), Type.Literal("oauth"), Type.Literal("token")], {
      default: "api-key",
      description: "Kind of credential. `token` and `oauth` send it as a bearer token.",
    }),
    api: Type.Optional(api()),
    headers: Type.Optional(headers()),
    authHeader: Type.Boolean({
      default: false,
      description: "Send the key in `Authorization: Bearer` whatever the dialect.",
    }),
    models: Type.Array(model, {
      default: [],
      description: "Models with known properties. Other ids work with cautious defaults.",
    }),
  },
  { additionalProperties: false, description: "One provider." },
);

export const modelsSection = section(
  "models",
  { reload: "live", description: "Model providers beyond the built-in catalogue." },
  {
    mode: Type.Union([Type.Literal("merge"), Type.Literal("replace")], {
      default: "merge",
      description: "`merge` adds to the built-in catalogue, `replace` uses only the providers listed here.",
    }),
    providers: Type.Record(Type.String(), provider, { default: {}, description: "Providers by id." }),
    bedrockDiscovery: Type.Optional(
      Type.Object(
        {
          enabled: Type.Optional(Type.Boolean({ description: "Look for models. Default false." })),
          region: Type.Optional(Type.String({ description: "Region." })),
          providerFilter: Type.Optional(Type.Array(Type.String(), { description: "Only of these makers." })),
          refreshInterval: Type.Optional(
            Type.Integer({ minimum: 0, description: "Seconds between looks. Default 3600." }),
          ),
          defaultContextWindow: Type.Optional(Type.Integer({ minimum: 1, description: "Default 32000." })),
          defaultMaxTokens: Type.Optional(Type.Integer({ minimum: 1, description: "Default 4096." })),
        },
        { additionalProperties: false, description: "Models of Amazon Bedrock. Not used by this release yet." },
      ),
    ),
  },
);

export type ModelsConfig = SectionValue<typeof modelsSection>;
export type ProviderConfig = ModelsConfig["providers"][string];
export type ModelConfig = ProviderConfig["models"][number];
