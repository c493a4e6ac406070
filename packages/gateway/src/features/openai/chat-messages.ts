/** `messages` of a chat completion: system texts, what was said before, and the message to answer (http.md §8.3). */
import { quoted } from "./client-tools.ts";
import { type Conversation, conversationOf, type Entry, type ImageSource, unanswered } from "./conversation.ts";
import { type Body, invalid, isRecord } from "./fields.ts";

const missing = () => invalid("Missing user message in `messages`.", "messages");

interface Read {
  text: string;
  images: ImageSource[];
}

/** Throws HttpError 400. */
export function readMessages(body: Body): Conversation {
  const { messages } = body;
  if (!Array.isArray(messages) || messages.length === 0) throw missing();
  const system: string[] = [];
  const entries: Entry[] = [];
  const names = new Map<string, string>();
  for (const [index, message] of (messages as unknown[]).entries()) {
    const path = `messages.${index}`;
    if (!isRecord(message)) throw missing();
    const { role } = message;
    const { text, images } = contentOf(message["content"], `${path}.content`);
    if (role === "system" || role === "developer") {
      if (text.trim() !== "") system.push(text);
    } else if (role === "user") {
      entries.push({ role, text, images, files: [], calls: [] });
    } else if (role === "assistant") {
      const calls = callsOf(message, names);
      const said = [text, ...calls.map(({ shown }) => shown)].filter(Boolean).join("\n");
      entries.push({ role, text: said, images: [], files: [], calls: calls.flatMap(({ id }) => id ?? []) });
    } else if (role === "tool" || role === "function") {
      entries.push(resultOf(message, text, names));
    } else throw invalid(`\`${path}.role\` is not known: ${quoted(role)}.`, `${path}.role`);
  }
  const open = unanswered(entries);
  if (open !== undefined)
    throw invalid(`No tool message for the tool call '${open.slice(0, 128)}' in \`messages\`.`, "messages");
  const conversation = conversationOf(system, entries);
  if (!conversation) throw missing();
  return conversation;
}

/** Calls of an assistant message; those of the oldest form have no id. */
function callsOf(message: Body, names: Map<string, string>): { id: string | undefined; shown: string }[] {
  const calls = message["tool_calls"];
  const legacy = message["function_call"];
  const list: unknown[] = Array.isArray(calls) ? calls : isRecord(legacy) ? [{ function: legacy }] : [];
  return list.map((call) => {
    const fields = isRecord(call) ? call["function"] : undefined;
    if (!isRecord(call) || !isRecord(fields)) throw invalid("A tool call in `messages` is malformed.", "messages");
    const name = String(fields["name"] ?? "").slice(0, 64);
    const shown = `[called ${name}(${typeof fields["arguments"] === "string" ? fields["arguments"] : ""})]`;
    const { id } = call;
    if (typeof id !== "string") return { id: undefined, shown };
    names.set(id, name);
    return { id, shown };
  });
}

function resultOf(message: Body, text: string, names: ReadonlyMap<string, string>): Entry {
  const id = message["tool_call_id"];
  const given = typeof message["name"] === "string" ? message["name"].slice(0, 64) : undefined;
  const name = typeof id === "string" ? (names.get(id) ?? given ?? id.slice(0, 128)) : given;
  return {
    role: "tool",
    text,
    images: [],
    files: [],
    calls: [],
    ...(name === undefined ? {} : { name }),
    ...(typeof id === "string" ? { callId: id } : {}),
  };
}

/** A string, or its text parts joined by line breaks; images are collected for the message they stand in. */
function contentOf(content: unknown, path: string): Read {
  if (content === undefined || content === null) return { text: "", images: [] };
  if (typeof content === "string") return { text: content, images: [] };
  if (!Array.isArray(content)) throw invalid(`\`${path}\` must be a string or an array of parts.`, path);
  const texts: string[] = [];
  const images: ImageSource[] = [];
  for (const [index, part] of (content as unknown[]).entries()) {
    const place = `${path}.${index}`;
    if (!isRecord(part)) throw invalid(`\`${place}\` must be an object.`, place);
    const { type } = part;
    if (type === "text" || type === "input_text" || type === "output_text") {
      if (typeof part["text"] !== "string") throw invalid(`\`${place}.text\` must be a string.`, place);
      texts.push(part["text"]);
    } else if (type === "refusal") {
      texts.push(typeof part["refusal"] === "string" ? part["refusal"] : "");
    } else if (type === "image_url") {
      const image = part["image_url"];
      const url = isRecord(image) ? image["url"] : image;
      if (typeof url !== "string") throw invalid("Invalid image_url content in `messages`.", place);
      images.push({ url, param: place });
    } else throw invalid(`Content parts of type ${quoted(type)} are not supported in \`messages\`.`, place);
  }
  return { text: texts.join("\n"), images };
}
