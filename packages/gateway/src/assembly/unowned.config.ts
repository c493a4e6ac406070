/** Config keys that no room owns yet (config.md §7.2). A key moves to its room together with what reads it. */
import { Type } from "typebox";
import {
  flag,
  group,
  optChoice,
  optFlag,
  optGroup,
  optMap,
  optNumber,
  optTextMap,
  optTexts,
  optWhole,
  pattern,
  secret,
  text,
} from "../config/fields.ts";
import { section } from "../config/section.ts";

const hours = (description: string) => optNumber(description, { exclusiveMinimum: 0 });

const authSection = section(
  "auth",
  { reload: "live", description: "Which credentials are used for which provider.", later: true },
  {
    profiles: optMap(
      group("One profile; its secret lives in the agent's auth profiles.", {
        provider: Type.String({ minLength: 1, description: "Provider." }),
        mode: Type.Unsafe<"api_key" | "oauth" | "token">({
          type: "string",
          enum: ["api_key", "oauth", "token"],
          description: "Kind of credential.",
        }),
        email: text("Account, for people."),
      }),
      "Profiles by id.",
    ),
    order: optMap(Type.Array(Type.String()), "Profiles in order of preference, by provider."),
    cooldowns: optGroup("How long a failing profile rests.", {
      billingBackoffHours: hours("After a billing failure. Default 5."),
      billingBackoffHoursByProvider: optMap(Type.Number({ exclusiveMinimum: 0 }), "The same by provider."),
      billingMaxHours: hours("Longest rest. Default 24."),
      failureWindowHours: hours("Time after which failures are forgotten. Default 24."),
    }),
  },
);

const updateSection = section(
  "update",
  { reload: "live", description: "New versions.", later: true },
  {
    channel: optChoice(["stable", "beta", "dev"], "Which releases. Default stable, dev for checkouts."),
    checkOnStart: flag(true, "Look for a new version at start."),
  },
);

const uiSection = section(
  "ui",
  { reload: "live", description: "Looks of the web app.", later: true },
  {
    seamColor: pattern("^#?[0-9a-fA-F]{6}$", "Accent colour."),
    assistant: optGroup("How the assistant shows itself.", {
      name: Type.Optional(Type.String({ maxLength: 50, description: "Name." })),
      avatar: Type.Optional(Type.String({ maxLength: 200, description: "Picture: a text, a URL or a data URI." })),
    }),
  },
);

const talkSection = section(
  "talk",
  { reload: "live", description: "Voice mode of the apps.", later: true },
  {
    voiceId: text("Voice."),
    voiceAliases: optTextMap("Voices by short name."),
    modelId: text("Model."),
    outputFormat: text("Audio format."),
    apiKey: secret("Key of the speech provider. Else ELEVENLABS_API_KEY."),
    interruptOnSpeech: flag(true, "Stop speaking when the person speaks."),
  },
);

const mediaSection = section(
  "media",
  { reload: "restart", description: "Files in messages.", later: true },
  { preserveFilenames: flag(false, "Keep the names of inbound files.") },
);

const audioSection = section(
  "audio",
  { reload: "live", description: "Old place of tools.media.audio.", later: true, announce: false },
  {},
);

const diagnosticsSection = section(
  "diagnostics",
  { reload: "restart", description: "Telemetry for the operator.", later: true },
  {
    enabled: flag(false, "Collect it."),
    flags: optTexts("Switches for single parts."),
    otel: optGroup("Export by OpenTelemetry.", {
      enabled: optFlag("Export. Default false."),
      endpoint: text("Collector."),
      protocol: optChoice(["http/protobuf", "http/json", "grpc"], "How."),
      headers: optMap(Type.String({ sensitive: true }), "Headers of the export.", { sensitive: true }),
      serviceName: text("Name of this service."),
      traces: optFlag("Export traces."),
      metrics: optFlag("Export metrics."),
      logs: optFlag("Export logs."),
      sampleRate: optNumber("Share of traces.", { minimum: 0, maximum: 1 }),
      flushIntervalMs: optWhole("Milliseconds between exports."),
    }),
    cacheTrace: optGroup("Trace of prompt caching.", {
      enabled: optFlag("Write it. Default false."),
      filePath: text("File."),
      includeMessages: optFlag("With messages."),
      includePrompt: optFlag("With the prompt."),
      includeSystem: optFlag("With the system prompt."),
    }),
  },
);

export const unownedSections = [
  authSection,
  updateSection,
  uiSection,
  talkSection,
  mediaSection,
  audioSection,
  diagnosticsSection,
] as const;
