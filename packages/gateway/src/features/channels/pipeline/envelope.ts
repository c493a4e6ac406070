/** A message as the model reads it (channels.md §5.2): who, where and when in front, what it answers, its files. Names and texts
 *  from outside cannot look like a line the gateway wrote. Pure. */
import { wallTime } from "../../../kernel/wall-time.ts";
import type { InboundMessage } from "../inbound.ts";

/** Which parts an envelope has (`agents.defaults.envelope…`). */
export interface EnvelopeStyle {
  /** IANA name; undefined for the host's own zone. */
  timeZone: string | undefined;
  timestamp: boolean;
  elapsed: boolean;
}

/** From the config; `user` is the zone of the person. */
export function envelopeStyle(defaults: {
  envelopeTimezone?: string;
  envelopeTimestamp?: "on" | "off";
  envelopeElapsed?: "on" | "off";
  userTimezone?: string;
}): EnvelopeStyle {
  const zone = defaults.envelopeTimezone?.trim() ?? "local";
  const named: Record<string, string | undefined> = { utc: "UTC", local: undefined, user: defaults.userTimezone };
  const known = zone.toLowerCase();
  return {
    timeZone: Object.hasOwn(named, known) ? named[known] : zone,
    timestamp: defaults.envelopeTimestamp !== "off",
    elapsed: defaults.envelopeElapsed !== "off",
  };
}

export interface EnvelopeInput {
  label: string;
  message: InboundMessage;
  /** What was typed, without directives. */
  text: string;
  style: EnvelopeStyle;
  /** Of the message before this one in the session. */
  previousAt?: number | undefined;
  /** A line per file. */
  media: readonly string[];
}

const nameChars = 60;
const userNameChars = 40;
const quoteChars = 1_000;

/** A name without anything that could end an envelope or begin a line. */
export function flatName(text: string, max = nameChars): string {
  const flat = text
    .slice(0, max * 4)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, " ")
    .replace(/[[\]<>]/gu, "")
    .replace(/:(?=\s|$)/gu, "")
    .trim();
  return [...flat].slice(0, max).join("").trim();
}

/** Starts of lines that only the gateway writes, also behind characters that are not seen. No two parts of a pattern may fit the
 *  same characters: the text is a stranger's. */
const gatewayLines =
  /^([\p{Zs}\p{Cf}\t]*)\[(?=[\p{Zs}\p{Cf}\t]*(?:system\b|message_id:|media (?:attached|unavailable)|replying to|\/replying|forwarded from|messages? (?:since|that waited)|current message|location:)|[^\]\n]{0,200}\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2})/gimu;
const systemLine =
  /^([\p{Zs}\p{Cf}\t]*)system([\p{Zs}\p{Cf}\t]*(?:(?:\([^)\n]{0,80}\)|\[[^\]\n]{0,80}\])[\p{Zs}\p{Cf}\t]*)?[:：])/gimu;

/** A text that cannot pass for lines of the gateway. */
export const defused = (text: string): string =>
  text.toWellFormed().replace(gatewayLines, "$1(").replace(systemLine, "$1(system)$2");

export function envelope(input: EnvelopeInput): string {
  const { message, text, media } = input;
  const group = message.chat.kind !== "direct";
  const body = defused(text).trim();
  const said = group && body !== "" ? `${senderLabel(message)}: ${body}` : body;
  const lines = [
    `${header(input)} ${said === "" ? (group ? `${senderLabel(message)}:` : "") : said}`.trimEnd(),
    ...quoted(message),
    ...(message.forwardedFrom ? [`[Forwarded from ${flatName(message.forwardedFrom)}]`] : []),
    ...located(message),
    ...media,
    `[message_id: ${flatName(message.messageId, 128)}]`,
  ];
  return lines.join("\n");
}

function header({ label, message, style, previousAt }: EnvelopeInput): string {
  const { chat } = message;
  const from =
    chat.kind === "direct"
      ? senderLabel(message)
      : [
          flatName(chat.title ?? "") || chat.kind,
          `id:${flatName(chat.id)}`,
          chat.threadId && `topic:${flatName(chat.threadId)}`,
        ]
          .filter(Boolean)
          .join(" ");
  const sinceMs = previousAt === undefined || !style.elapsed ? 0 : message.at - previousAt;
  const parts = [
    `${label} ${from}`,
    ...(sinceMs > 0 ? [`+${duration(sinceMs)}`] : []),
    ...(style.timestamp ? [stamp(message.at, style.timeZone)] : []),
  ];
  return `[${parts.join(" ")}]`;
}

/** `Ada (@ada, id:123)`, as far as it is known. */
export function senderLabel({ sender }: InboundMessage): string {
  const name = flatName(sender.name ?? "");
  const user = sender.username ? `@${flatName(sender.username, userNameChars).replace(/^@/, "")}` : "";
  const id = sender.e164 ?? `id:${flatName(sender.id)}`;
  return name === "" ? [user, id].filter(Boolean).join(" ") : `${name} (${[user, id].filter(Boolean).join(", ")})`;
}

function quoted({ replyTo }: InboundMessage): string[] {
  if (!replyTo) return [];
  const who = replyTo.toSelf ? "you" : flatName(replyTo.sender ?? "") || "somebody";
  const body = replyTo.body ? defused(cut(replyTo.body, quoteChars)) : "";
  return [`[Replying to ${who} id:${flatName(replyTo.id, 128)}]${body === "" ? "" : `\n${body}\n[/Replying]`}`];
}

function located({ location }: InboundMessage): string[] {
  if (!location) return [];
  const { latitude, longitude, name, address } = location;
  const words = [name, address].map((word) => flatName(word ?? "", 200)).filter((word) => word !== "");
  return [
    `[Location: ${latitude.toFixed(6)}, ${longitude.toFixed(6)}${words.length > 0 ? ` (${words.join(", ")})` : ""}]`,
  ];
}

export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).toWellFormed()}…`;
}

export function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1_000)}s`;
  if (minutes < 60) return `${minutes}m`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h`;
  return `${Math.floor(minutes / (24 * 60))}d`;
}

/** `2026-02-13 18:26 UTC`. */
export function stamp(at: number, timeZone: string | undefined): string {
  const { date, time, zone } = wallTime(at, timeZone);
  return `${date} ${time} ${zone}`;
}
