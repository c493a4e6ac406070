/** Files on their way out: which method carries which file, and what to fall back to (channels.md §7.8). */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { InputFile } from "grammy/web";
import type { Message } from "grammy/types";
import type { OutboundContent } from "../outbound.ts";
import type { BotApi, CallOptions } from "./api.ts";
import { defaultApiRoot, type TelegramSettings } from "./settings.ts";

type MediaContent = Extract<OutboundContent, { type: "media" }>;
type Kind = "photo" | "animation" | "video" | "audio" | "voice" | "document";

/** What every kind of message takes along. */
export interface MessageParams {
  chat_id: string;
  message_thread_id?: number;
  reply_parameters?: { message_id: number; allow_sending_without_reply: boolean };
  disable_notification?: boolean;
}

type FileParams = MessageParams & { caption?: string; parse_mode?: "HTML" };

export interface MediaPlan {
  send(api: BotApi, params: FileParams, options: CallOptions): Promise<Message>;
  /** The next lesser way after a refusal with this text, if there is one. */
  lesser(description: string): MediaPlan | undefined;
}

const mb = 1024 * 1024;
const maxPhotoBytes = 10 * mb;
/** Of the public server; another one decides for itself. */
const maxUploadBytes = 50 * mb;
const photos = new Set(["image/jpeg", "image/png", "image/webp"]);
const songs = new Set(["audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac"]);
const voices = new Set([...songs, "audio/ogg", "audio/opus"]);

/** Looks at the file. What is missing or too large is said here, before anything is sent. */
export async function planMedia(
  content: MediaContent,
  settings: TelegramSettings,
): Promise<MediaPlan | { problem: { reason: string; detail: string } }> {
  let sizeBytes: number;
  try {
    const found = await stat(content.path);
    if (!found.isFile()) return problem("file-missing", "The file to send is not a regular file.");
    sizeBytes = found.size;
  } catch {
    // Whatever the reason, there is nothing to send.
    return problem("file-missing", "The file to send is gone.");
  }
  if (sizeBytes === 0) return problem("file-empty", "The file to send is empty.");
  if (sizeBytes > maxUploadBytes && settings.apiRoot === defaultApiRoot)
    return problem("too-large", `The file has ${Math.ceil(sizeBytes / mb)} MB; Telegram takes 50 MB from bots.`);
  return planOf(kindOf(content, sizeBytes), content);
}

export const isVoice = (content: MediaContent): boolean => kindOf(content, 0) === "voice";

function kindOf({ mimeType, asVoice, gifPlayback }: MediaContent, sizeBytes: number): Kind {
  const mime = mimeType.toLowerCase().split(";")[0]?.trim() ?? "";
  if (mime === "image/gif" || (gifPlayback && mime.startsWith("video/"))) return "animation";
  if (photos.has(mime)) return sizeBytes <= maxPhotoBytes ? "photo" : "document";
  if (mime === "video/mp4" || mime === "video/quicktime") return "video";
  if (asVoice && voices.has(mime)) return "voice";
  return songs.has(mime) ? "audio" : "document";
}

function planOf(kind: Kind, content: MediaContent): MediaPlan {
  const { path } = content;
  const name = (content.fileName ?? path.split(/[\\/]/u).at(-1) ?? "file").replace(/["\\;\r\n\0]/gu, "_").slice(-120);
  // A file can be read once per request.
  const file = () => new InputFile(piecesOf(path), name);
  const send: Record<Kind, MediaPlan["send"]> = {
    photo: (api, params, options) => api.call("sendPhoto", { ...params, photo: file() }, options),
    animation: (api, params, options) => api.call("sendAnimation", { ...params, animation: file() }, options),
    video: (api, params, options) =>
      api.call("sendVideo", { ...params, video: file(), supports_streaming: true }, options),
    audio: (api, params, options) => api.call("sendAudio", { ...params, audio: file() }, options),
    voice: (api, params, options) => api.call("sendVoice", { ...params, voice: file() }, options),
    document: (api, params, options) => api.call("sendDocument", { ...params, document: file() }, options),
  };
  return {
    send: send[kind],
    lesser(description) {
      // Some people take no voice messages; the recording still is a file.
      if (kind === "voice") return /VOICE_MESSAGES_FORBIDDEN/u.test(description) ? planOf("audio", content) : undefined;
      // Odd proportions, broken pictures: the platform cannot show them, but it can carry them.
      const unshowable = /PHOTO_|IMAGE_|VIDEO_|dimensions|wrong file|wrong type|failed to get/iu.test(description);
      return unshowable && kind !== "document" ? planOf("document", content) : undefined;
    },
  };
}

/** Opened when the request wants the first piece, closed when it wants no more. */
const piecesOf = (path: string): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    yield* createReadStream(path);
  },
});

const problem = (reason: string, detail: string) => ({ problem: { reason, detail } });
