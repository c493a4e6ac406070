/** What was said to chats lately: tells our own words from a person's (S34), and a final text from what the tool `message` has
 *  sent already (agent.md §13.4). In memory, bounded in number and age; texts are kept as hashes. */
import { createHash } from "node:crypto";
import type { World } from "../../../kernel/world.ts";
import { Streamed } from "./streamed.ts";

/** Echoes come within moments. Later the same words are a person's own, and are answered. */
export const echoMs = 10 * 60_000;
const maxChats = 500;
const maxTexts = 20;
const maxRuns = 200;

interface Said {
  hash: string;
  at: number;
}

/** Spaces, case and compatibility forms make no difference. Undefined for a text without words. */
function hashOf(text: string): string | undefined {
  const normal = text.toWellFormed().normalize("NFKC").replace(/\s+/gu, " ").trim().toLowerCase();
  return normal === "" ? undefined : createHash("sha256").update(normal).digest("base64");
}

export class Echoes {
  readonly streamed = new Streamed();
  readonly #world: Pick<World, "monotonic">;
  readonly #byChat = new Map<string, Said[]>();
  /** For as long as the run lives. */
  readonly #byRun = new Map<string, Said[]>();

  constructor(world: Pick<World, "monotonic">) {
    this.#world = world;
  }

  /** `chat` names channel, account and chat. */
  said(chat: string, text: string): void {
    this.#remember(this.#byChat, chat, text, maxChats);
  }

  /** Whether a text that came in is one we sent to this chat in the last ten minutes. */
  isOwn(chat: string, text: string): boolean {
    const hash = hashOf(text);
    const since = this.#world.monotonic() - echoMs;
    return (
      hash !== undefined && (this.#byChat.get(chat)?.some((said) => said.hash === hash && said.at > since) ?? false)
    );
  }

  /** The tool `message` sent a text to a place on behalf of a run. */
  sentByTool(runId: string, chat: string, text: string, threadId?: string): void {
    this.said(chat, text);
    this.#remember(this.#byRun, runKey(runId, chat, threadId), text, maxRuns);
  }

  /** Whether the run has sent this text to the place by itself. */
  wasSentByTool(runId: string, chat: string, text: string, threadId?: string): boolean {
    const hash = hashOf(text);
    return this.#byRun.get(runKey(runId, chat, threadId))?.some((said) => said.hash === hash) ?? false;
  }

  forgetRun(runId: string): void {
    this.streamed.forget(runId);
    for (const key of this.#byRun.keys()) if (key.startsWith(`${runId} `)) this.#byRun.delete(key);
  }

  #remember(map: Map<string, Said[]>, key: string, text: string, max: number): void {
    const hash = hashOf(text);
    if (hash === undefined) return;
    const now = this.#world.monotonic();
    const known = map.get(key) ?? [];
    const texts = map === this.#byChat ? known.filter(({ at }) => at > now - echoMs) : known;
    texts.push({ hash, at: now });
    if (texts.length > maxTexts) texts.shift();
    map.delete(key);
    map.set(key, texts);
    const oldest = map.keys().next();
    if (map.size > max && !oldest.done) map.delete(oldest.value);
  }
}

export const echoChat = (channel: string, accountId: string, chatId: string): string =>
  `${channel} ${accountId} ${chatId}`;

const runKey = (runId: string, chat: string, threadId = ""): string => `${runId} ${chat} ${threadId}`;
