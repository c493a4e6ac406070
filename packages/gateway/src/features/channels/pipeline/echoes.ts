/** What was said to chats lately: tells our own words from a person's (S34), and a final text from what the tool `message` has
 *  sent already (agent.md §13.4). In memory, bounded. */
import { Streamed } from "./streamed.ts";

const maxChats = 500;
const maxTexts = 20;
const maxRuns = 200;

const normal = (text: string): string =>
  text.toWellFormed().normalize("NFKC").replace(/\s+/gu, " ").trim().toLowerCase();

export class Echoes {
  readonly streamed = new Streamed();
  readonly #byChat = new Map<string, string[]>();
  readonly #byRun = new Map<string, string[]>();

  /** `chat` names channel, account and chat. */
  said(chat: string, text: string): void {
    remember(this.#byChat, chat, text, maxChats);
  }

  /** Whether a text that came in is one we sent to this chat. */
  isOwn(chat: string, text: string): boolean {
    const wanted = normal(text);
    return wanted !== "" && (this.#byChat.get(chat)?.includes(wanted) ?? false);
  }

  /** The tool `message` sent a text to a chat on behalf of a run. */
  sentByTool(runId: string, chat: string, text: string): void {
    this.said(chat, text);
    remember(this.#byRun, `${runId} ${chat}`, text, maxRuns);
  }

  /** Whether the run has sent this text to the chat by itself. */
  wasSentByTool(runId: string, chat: string, text: string): boolean {
    return this.#byRun.get(`${runId} ${chat}`)?.includes(normal(text)) ?? false;
  }

  forgetRun(runId: string): void {
    this.streamed.forget(runId);
    for (const key of this.#byRun.keys()) if (key.startsWith(`${runId} `)) this.#byRun.delete(key);
  }
}

export const echoChat = (channel: string, accountId: string, chatId: string): string =>
  `${channel} ${accountId} ${chatId}`;

function remember(map: Map<string, string[]>, key: string, text: string, max: number): void {
  const line = normal(text);
  if (line === "") return;
  const texts = map.get(key) ?? [];
  map.delete(key);
  map.set(key, texts);
  texts.push(line);
  if (texts.length > maxTexts) texts.shift();
  const oldest = map.keys().next();
  if (map.size > max && !oldest.done) map.delete(oldest.value);
}
