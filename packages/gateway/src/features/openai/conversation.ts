/** A conversation that a client sent, as the one prompt a run gets: what was said before as a marked block, then the message
 *  itself. It is the client's text and never enters a transcript as turns (http.md §8.3). */

export interface Said {
  role: "user" | "assistant" | "tool";
  text: string;
  /** Of a tool: its name, else the id of the call. */
  name?: string;
}

const historyMark = "[Conversation so far, as the client sent it]";
const currentMark = "[Current message]";

function line({ role, text, name }: Said): string {
  if (role === "tool") return `Tool:${name ?? "result"}: ${text}`;
  return `${role === "user" ? "User" : "Assistant"}: ${text}`;
}

/** `current` is the text of the last message as it is to be read. Alone it stays as it is. */
export function promptOf(history: readonly Said[], current: string): string {
  if (history.length === 0) return current;
  return [historyMark, ...history.map(line), "", currentMark, current].join("\n");
}

/** The last message as a prompt shows it: a person's words as they are, results of tools with their names. */
export const currentText = (said: readonly Said[]): string =>
  said.map((one) => (one.role === "user" ? one.text : line(one))).join("\n");

/** A conversation as both APIs send it, read and judged. */
export interface Conversation {
  /** System and developer texts, in order. */
  system: string[];
  history: Said[];
  /** The message to answer: a person's, or results of tools that belong together. */
  current: Said[];
  /** Of the current message, unread so far. */
  images: ImageSource[];
  files: FileSource[];
  /** Results among `current`. */
  results: { callId: string; text: string }[];
  /** Ids of all calls the client showed. */
  calls: ReadonlySet<string>;
}

export type ImageSource = { param: string } & ({ url: string } | { mimeType: string; base64: string });

export interface FileSource {
  param: string;
  /** As sent: a data URL or base64, or an address. */
  data?: string;
  url?: string;
  mimeType?: string;
  name?: string;
}

/** One message of the conversation before it is sorted into history and current message. */
export interface Entry extends Said {
  images: ImageSource[];
  files: FileSource[];
  /** Of a result. */
  callId?: string;
  /** Ids of the calls an assistant made. */
  calls: string[];
}

/** Splits entries at the message to answer; what an assistant said after it is dropped. Undefined when there is none. */
export function conversationOf(system: string[], entries: readonly Entry[]): Conversation | undefined {
  const end = entries.findLastIndex(({ role }) => role !== "assistant") + 1;
  const said = entries.slice(0, end);
  const last = said.at(-1);
  if (!last) return undefined;
  const from = last.role === "user" ? end - 1 : said.findLastIndex(({ role }) => role !== "tool") + 1;
  const current = said.slice(from);
  const silent = current.every(
    ({ role, text, images, files }) =>
      role === "user" && text.trim() === "" && images.length === 0 && files.length === 0,
  );
  if (silent) return undefined;
  return {
    system,
    history: said
      .slice(0, from)
      .filter(({ text }) => text !== "")
      .map(plain),
    current: current.map(plain),
    images: last.images,
    files: said.flatMap(({ files }) => files),
    results: current.flatMap(({ callId, text }) => (callId === undefined ? [] : [{ callId, text }])),
    calls: new Set(said.flatMap(({ calls }) => calls)),
  };
}

const plain = ({ role, text, name }: Entry): Said => ({ role, text, ...(name === undefined ? {} : { name }) });

/** A call whose result is missing although the conversation went on. */
export function unanswered(entries: readonly Entry[]): string | undefined {
  const end = entries.findLastIndex(({ role }) => role !== "assistant") + 1;
  const said = entries.slice(0, end);
  const answered = new Set(said.flatMap(({ callId }) => callId ?? []));
  return said.flatMap(({ calls }) => calls).find((id) => !answered.has(id));
}

/** Said for a person who sent nothing but pictures or files. */
export const attachedText = (count: number): string =>
  count === 1 ? "See what is attached." : "See what is attached to this message.";
