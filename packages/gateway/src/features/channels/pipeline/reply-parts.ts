/** From what a model wrote to the parts a platform is sent (agent.md §13.2, §13.3). Pure. */
import { isSilent, spoken } from "../../agents/index.ts";
import type { AccountSettings, Target } from "../channel.ts";
import { composeParts, leftOut, maxParts, type OutgoingFile } from "../compose.ts";
import type { OutboundPart } from "../outbound.ts";
import type { ChannelPort } from "./ports.ts";

export interface Said {
  text: string;
  /** Sources of `MEDIA:` lines. */
  media: string[];
  /** From a tag: the present message, or one by id. */
  replyTo?: { current: true } | { id: string };
  asVoice: boolean;
}

export const maxMedia = 10;

// No two parts of a pattern may fit the same blanks: a model can be made to write thousands of them.
const tag = /\[\[[ \t]{0,80}(reply_to_current|reply_to:([^\]\n]{1,80})|audio_as_voice)[ \t]{0,80}\]\]/g;
const mediaLine = /^`?MEDIA:(.*)$/;
const fence = /^[ \t]*(```+|~~~+)/;
/** What some models leave of their own markup. */
const leaks = /<\/?(?:final|think|thinking)>/g;

/** Reads one text: tags and media lines leave it; what is inside a code fence is only text. */
export function readSaid(raw: string): Said {
  const said: Said = { text: "", media: [], asVoice: false };
  const lines: string[] = [];
  let fenced: string | undefined;
  for (const line of raw.split("\n")) {
    const mark = fence.exec(line)?.[1];
    if (fenced !== undefined) {
      if (mark?.startsWith(fenced)) fenced = undefined;
      lines.push(line);
      continue;
    }
    if (mark) {
      fenced = mark;
      lines.push(line);
      continue;
    }
    const source = mediaOf(line);
    if (source !== undefined) {
      if (said.media.length < maxMedia) said.media.push(source);
      continue;
    }
    for (const [, name, id] of line.matchAll(tag)) {
      if (name === "audio_as_voice") said.asVoice = true;
      else said.replyTo = id === undefined ? { current: true } : { id: id.trim() };
    }
    lines.push(line.replace(leaks, ""));
  }
  const text = lines.join("\n");
  said.text = isSilent(text) ? "" : spoken(text);
  return said;
}

/** The source a line names, with or without backticks around it. */
function mediaOf(line: string): string | undefined {
  const named = mediaLine.exec(line.trim())?.[1];
  const source = named?.trim().replace(/^`|`$/g, "").trim();
  return source === "" || source?.includes("`") ? undefined : source;
}

export interface ReplyInput {
  entry: NonNullable<ChannelPort["entry"]>;
  settings: AccountSettings;
  target: Target;
  replyToId: string | undefined;
  texts: readonly { said: Said; text: string; files: readonly OutgoingFile[] }[];
}

/** Parts of a whole reply, in order. Which of them quote the message follows the account's `replyToMode`, unless a tag says so. */
export function replyParts({ entry, settings, target, replyToId, texts }: ReplyInput): OutboundPart[] {
  const parts: OutboundPart[] = [];
  const mode = settings.access.replyToMode;
  for (const { said, text, files } of texts) {
    const tagged = said.replyTo && ("id" in said.replyTo ? said.replyTo.id : replyToId);
    const quoting = tagged ?? (mode === "all" || (mode === "first" && parts.length === 0) ? replyToId : undefined);
    const made = compose(entry, settings, {
      target,
      text,
      files,
      ...(quoting === undefined ? {} : { replyToId: quoting, replyToMode: tagged ? "first" : mode }),
      ...(said.asVoice ? { asVoice: true } : {}),
    });
    parts.push(...made);
  }
  if (parts.length <= maxParts) return parts;
  return [...parts.slice(0, maxParts - 1), { target, content: { type: "text", body: leftOut } }];
}

/** A text of the gateway itself. Empty when the channel is no longer there. */
export function plainParts(
  channel: ChannelPort | undefined,
  accountId: string,
  target: Target,
  text: string,
): OutboundPart[] {
  const settings = channel?.settings(accountId);
  return channel?.entry && settings ? compose(channel.entry, settings, { target, text }) : [];
}

/** A text that a platform's renderer cannot digest is sent as it is, rather than not at all. */
function compose(
  entry: NonNullable<ChannelPort["entry"]>,
  settings: AccountSettings,
  outgoing: Parameters<typeof composeParts>[2],
): OutboundPart[] {
  try {
    return composeParts(entry, settings, outgoing);
  } catch {
    return composeParts(unrendered, settings, outgoing);
  }
}

const verbatimLimit = 4_000;

const unrendered: Pick<NonNullable<ChannelPort["entry"]>, "captionLimit" | "render"> = {
  captionLimit: 0,
  render: (text, { limit }) => {
    const pieces: { text: string; plain: string }[] = [];
    for (let at = 0; at < text.length; at += limit) {
      const plain = text.slice(at, at + limit).toWellFormed();
      pieces.push({ text: plain, plain });
    }
    return pieces;
  },
};

/** A text for a channel whose adapter is not there. */
export const verbatimParts = (target: Target, text: string): OutboundPart[] =>
  composeParts(unrendered, { textChunkLimit: verbatimLimit, chunkMode: "length", tables: "off" }, { target, text });
