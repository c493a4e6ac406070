/** From a text and files to the parts of one message, in the order in which they are sent (channels.md §4.3, §5.8). Pure. */
import type { AccountSettings, ChannelEntry } from "./channel.ts";
import type { OutboundPart, PartTarget } from "./outbound.ts";

export interface OutgoingFile {
  path: string;
  mimeType: string;
  fileName?: string;
}

export interface Outgoing {
  target: PartTarget;
  text: string;
  files?: readonly OutgoingFile[];
  replyToId?: string;
  /** Which parts quote the message that is answered. */
  replyToMode?: "off" | "first" | "all";
  asVoice?: boolean;
  gifPlayback?: boolean;
  silent?: boolean;
}

/** Parts beyond this are not a message any more. */
export const maxParts = 64;

/** Empty when there is nothing to send. */
export function composeParts(
  entry: Pick<ChannelEntry, "render" | "captionLimit">,
  settings: Pick<AccountSettings, "textChunkLimit" | "chunkMode" | "tables">,
  outgoing: Outgoing,
): OutboundPart[] {
  const { target, text, files = [], replyToId, replyToMode = "first", asVoice, gifPlayback, silent } = outgoing;
  const options = { limit: settings.textChunkLimit, chunkMode: settings.chunkMode, tables: settings.tables };
  const bodies = text.trim() === "" ? [] : entry.render(text, options);
  const caption =
    files.length > 0 && bodies.length === 1 && (bodies[0]?.plain.length ?? 0) <= entry.captionLimit
      ? bodies[0]
      : undefined;
  const contents: OutboundPart["content"][] = [
    ...files.map((file, index) => ({
      type: "media" as const,
      ...file,
      ...(index === 0 && caption ? { caption } : {}),
      ...(asVoice ? { asVoice } : {}),
      ...(gifPlayback ? { gifPlayback } : {}),
    })),
    ...(caption ? [] : bodies.map((body) => ({ type: "text" as const, body }))),
  ];
  return contents.slice(0, maxParts).map((content, index) => ({
    target,
    content,
    ...(replyToId && replyToMode !== "off" && (replyToMode === "all" || index === 0) ? { replyToId } : {}),
    ...(silent ? { silent } : {}),
  }));
}
