/** From a text and files to the parts of one message, in the order in which they are sent (channels.md §4.3, §5.8). Pure. */
import type { AccountSettings, ChannelEntry } from "./channel.ts";
import type { OutboundPart, PartTarget, RenderedText } from "./outbound.ts";

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
const note = "… (the rest was left out: it is too long for a chat)";
export const leftOut: RenderedText = { text: note, plain: note };

type Renderer = Pick<ChannelEntry, "render" | "captionLimit">;
type Shape = Pick<AccountSettings, "textChunkLimit" | "chunkMode" | "tables">;

/** Empty when there is nothing to send. Of a text that is too long the beginning is sent, and its last part says so. */
export function composeParts(entry: Renderer, settings: Shape, outgoing: Outgoing): OutboundPart[] {
  const { target, text, files = [], replyToId, replyToMode = "first", asVoice, gifPlayback, silent } = outgoing;
  const bodies = text.trim() === "" ? [] : bodiesOf(entry, settings, text, maxParts - files.length);
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

/** Whether a part was left out. */
export const wasCut = (parts: readonly OutboundPart[]): boolean => {
  const last = parts.at(-1)?.content;
  return last?.type === "text" && last.body === leftOut;
};

function bodiesOf(entry: Renderer, settings: Shape, text: string, room: number): RenderedText[] {
  const { textChunkLimit: limit, chunkMode, tables } = settings;
  let bodies = entry.render(text, { limit, chunkMode, tables });
  // A message for each paragraph is a courtesy; that all of them arrive matters more.
  if (bodies.length > room && chunkMode === "newline")
    bodies = entry.render(text, { limit, chunkMode: "length", tables });
  return bodies.length <= room ? bodies : [...bodies.slice(0, Math.max(0, room - 1)), leftOut];
}
