/** What a webhook asks for, read and judged (http.md §12.4, §12.5). Throws HttpError 400 with the words of the specification. */
import { HttpError } from "../../../kernel/http.ts";

export interface WakeAsked {
  text: string;
  mode: "now" | "next-heartbeat";
}

export interface AgentAsked {
  message: string;
  name: string;
  agentId?: string;
  sessionKey?: string;
  wakeMode: "now" | "next-heartbeat";
  deliver: boolean;
  /** `last`, or the id of a channel. */
  channel: string;
  to?: string;
  accountId?: string;
  model?: string;
  thinking?: string;
  timeoutMs?: number;
  idempotencyKey?: string;
  /** A mapping of the config chose the fields. */
  mapped: boolean;
  /** The message is handed over without the mark of foreign text. */
  unsafe: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

const maxNameChars = 80;
const maxTextChars = 200_000;
const maxTimeoutMs = 24 * 3_600_000;

/** Own properties only: the payload may have any names. */
const own = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined);

function text(fields: Fields, name: string): string | undefined {
  const value = own(fields, name);
  const said = typeof value === "string" ? value.trim() : "";
  return said === "" ? undefined : said;
}

const modeOf = (value: unknown): "now" | "next-heartbeat" => (value === "next-heartbeat" ? value : "now");

export function readWake(fields: Fields, missing: string): WakeAsked {
  const said = text(fields, "text");
  if (said === undefined) throw new HttpError(400, missing);
  return { text: said.slice(0, maxTextChars), mode: modeOf(own(fields, "mode")) };
}

export interface AgentRules {
  missing: string;
  /** The fields come from a mapping of the config, not from the caller alone. */
  mapped: boolean;
  channels: readonly string[];
  aliases: Readonly<Record<string, string>>;
}

export function readAgent(fields: Fields, { missing, mapped, channels, aliases }: AgentRules): AgentAsked {
  const message = text(fields, "message");
  if (message === undefined) throw new HttpError(400, missing);
  const model = own(fields, "model");
  if (model !== undefined && (typeof model !== "string" || model.trim() === ""))
    throw new HttpError(400, "model required");
  const seconds = own(fields, "timeoutSeconds");
  if (seconds !== undefined && (typeof seconds !== "number" || !(seconds >= 1) || !Number.isFinite(seconds)))
    throw new HttpError(400, "timeoutSeconds must be a positive number");
  const optional = (name: "agentId" | "sessionKey" | "to" | "accountId" | "thinking" | "idempotencyKey") => {
    const value = text(fields, name);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    message: message.slice(0, maxTextChars),
    name: (text(fields, "name") ?? "Hook").replaceAll(/[\p{Cc}\s]+/gu, " ").slice(0, maxNameChars),
    wakeMode: modeOf(own(fields, "wakeMode")),
    deliver: own(fields, "deliver") !== false,
    channel: channelOf(own(fields, "channel"), channels, aliases),
    mapped,
    unsafe: mapped && own(fields, "allowUnsafeExternalContent") === true,
    ...optional("agentId"),
    ...optional("sessionKey"),
    ...optional("to"),
    ...optional("accountId"),
    ...optional("thinking"),
    ...optional("idempotencyKey"),
    ...(typeof model === "string" ? { model: model.trim() } : {}),
    ...(typeof seconds === "number" ? { timeoutMs: Math.min(maxTimeoutMs, Math.floor(seconds) * 1_000) } : {}),
  };
}

function channelOf(value: unknown, channels: readonly string[], aliases: Readonly<Record<string, string>>): string {
  if (value === undefined) return "last";
  const named = typeof value === "string" ? value.trim().toLowerCase() : "";
  const id = Object.hasOwn(aliases, named) ? (aliases[named] ?? named) : named;
  if (id === "last" || channels.includes(id)) return id;
  throw new HttpError(400, `channel must be ${["last", ...channels].join("|")}`);
}
