/** Keys of tools whose feature comes later (config.md §7.6): judged and kept, read by nobody yet. */
import { Type } from "typebox";
import {
  group,
  optChoice,
  optFlag,
  optGroup,
  optList,
  optMap,
  optOpen,
  optTexts,
  optWhole,
  secret,
  text,
} from "../../config/fields.ts";

const toolList = (description: string) =>
  optGroup(description, {
    allow: optTexts("Only these."),
    alsoAllow: optTexts("Added to the default."),
    deny: optTexts("Never these."),
  });

/** `tools.sandbox` and `tools.subagents`. */
export const nestedPolicies = {
  sandbox: optGroup("Sessions in a sandbox.", { tools: toolList("Their tools.") }),
  subagents: optGroup("Sub-agents.", { tools: toolList("Their tools.") }),
};

const firecrawl = optGroup("Firecrawl, for pages that need a browser.", {
  enabled: optFlag("Use it."),
  apiKey: secret("Key."),
  baseUrl: text("Address."),
  onlyMainContent: optFlag("Leave menus out."),
  maxAgeMs: optWhole("Age of a cached page.", { minimum: 0 }),
  timeoutSeconds: optWhole("Deadline."),
});

export const laterFetchKeys = { firecrawl };

export const webSearch = optGroup("Searching the web.", {
  enabled: optFlag("Offer web_search. Default: when there is a key."),
  provider: optChoice(["brave", "perplexity", "grok"], "Who searches. Default brave."),
  apiKey: secret("Key. Else BRAVE_API_KEY."),
  maxResults: optWhole("Results. Default 5.", { maximum: 50 }),
  timeoutSeconds: optWhole("Deadline. Default 30."),
  cacheTtlMinutes: optWhole("Minutes a result is kept. Default 15.", { minimum: 0 }),
  perplexity: optGroup("Perplexity.", {
    apiKey: secret("Key."),
    baseUrl: text("Address."),
    model: text("Model. Default perplexity/sonar-pro."),
  }),
  grok: optGroup("Grok.", {
    apiKey: secret("Key."),
    model: text("Model."),
    inlineCitations: optFlag("Citations in the text."),
  }),
});

const scope = optGroup("For whom.", {
  default: optChoice(["allow", "deny"], "When no rule matches."),
  rules: optList(
    group("One rule.", {
      action: Type.Unsafe<"allow" | "deny">({ type: "string", enum: ["allow", "deny"], description: "What it says." }),
      match: optGroup("What it takes.", {
        channel: text("Channel."),
        chatType: optChoice(["direct", "dm", "group", "channel"], "Kind of chat."),
        keyPrefix: text("Start of the session key."),
      }),
    }),
    "Rules, first match wins.",
  ),
});

/** Keys that a kind of media and one of its models share. */
const common = {
  prompt: text("What the model is asked."),
  maxBytes: optWhole("Largest file."),
  maxChars: optWhole("Longest answer."),
  timeoutSeconds: optWhole("Deadline."),
  language: text("Language."),
  providerOptions: optOpen("Options of the provider."),
  deepgram: optOpen("Options of Deepgram."),
  baseUrl: text("Address of the provider."),
  headers: optMap(Type.String({ sensitive: true }), "Headers.", { sensitive: true }),
};

const mediaModel = group("One model.", {
  type: optChoice(["provider", "cli"], "A model of a provider, or a program."),
  provider: text("Provider."),
  model: text("Model."),
  capabilities: Type.Optional(
    Type.Array(Type.Unsafe<"image" | "audio" | "video">({ type: "string", enum: ["image", "audio", "video"] }), {
      description: "What it understands.",
    }),
  ),
  command: text("Program."),
  args: optTexts("Its arguments."),
  profile: text("Auth profile."),
  preferredProfile: text("Auth profile tried first."),
  ...common,
});

const kind = (name: string) =>
  optGroup(name, {
    enabled: optFlag("Look at them."),
    scope,
    ...common,
    attachments: optGroup("Several files.", {
      mode: optChoice(["first", "all"], "Which. Default first."),
      maxAttachments: optWhole("How many. Default 1."),
      prefer: optChoice(["first", "last", "path", "url"], "Which first."),
    }),
    models: optList(mediaModel, "Models, in order."),
  });

export const mediaUnderstanding = optGroup("Understanding files in messages.", {
  concurrency: optWhole("Files at once. Default 2."),
  models: optList(mediaModel, "Models for every kind."),
  image: kind("Pictures."),
  audio: kind("Sound."),
  video: kind("Film."),
});

export const linkUnderstanding = optGroup("Understanding links in messages.", {
  enabled: optFlag("Follow them. Default true."),
  scope,
  maxLinks: optWhole("Links of one message. Default 3."),
  timeoutSeconds: optWhole("Deadline. Default 30."),
  models: optList(
    group("One program.", {
      type: optChoice(["cli"], "A program."),
      command: Type.String({ minLength: 1, description: "Program." }),
      args: optTexts("Its arguments."),
      timeoutSeconds: optWhole("Deadline."),
    }),
    "Programs, in order.",
  ),
});

export const agentElevated = optGroup("Commands outside the sandbox.", {
  enabled: optFlag("Allow them."),
  allowFrom: optMap(Type.Array(Type.Union([Type.String(), Type.Number()])), "Senders per channel."),
});
