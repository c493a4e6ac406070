/** Config keys `logging.*` (config.md §7.3). */
import { Type } from "typebox";
import { section, type SectionValue } from "../../config/section.ts";

const level = (value: string, description: string) =>
  Type.Unsafe<"silent" | "fatal" | "error" | "warn" | "info" | "debug" | "trace">({
    type: "string",
    enum: ["silent", "fatal", "error", "warn", "info", "debug", "trace"],
    default: value,
    description,
  });

export const loggingSection = section(
  "logging",
  { reload: "live", description: "What is logged where." },
  {
    level: level("info", "Threshold of the file log."),
    file: Type.Optional(Type.String({ minLength: 1, description: "Fixed log file. Default: one file a day." })),
    consoleLevel: level("info", "Threshold of the console; --verbose means debug."),
    consoleStyle: Type.Optional(
      Type.Unsafe<"pretty" | "compact" | "json">({
        type: "string",
        enum: ["pretty", "compact", "json"],
        description: "Default: pretty on a terminal, else compact.",
      }),
    ),
    redactSensitive: Type.Unsafe<"off" | "tools">({
      type: "string",
      enum: ["off", "tools"],
      default: "tools",
      description: "Mask secrets in tool summaries. Registered secrets are always masked.",
    }),
    redactPatterns: Type.Optional(
      Type.Array(Type.String(), { description: "Regular expressions that replace the built-in ones." }),
    ),
  },
);

export type LoggingConfig = SectionValue<typeof loggingSection>;
