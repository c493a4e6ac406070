/** `input` of a response: items of both dialects as one conversation (http.md §9.3, §9.4). */
import { quoted } from "./client-tools.ts";
import { type Conversation, conversationOf, type Entry, type FileSource, type ImageSource } from "./conversation.ts";
import { type Body, invalid, isRecord } from "./fields.ts";

const missing = () => invalid("Missing user message in `input`.", "input");

interface Content {
  text: string;
  images: ImageSource[];
  files: FileSource[];
}

/** Throws HttpError 400 with the path of what is wrong. */
export function readInput(body: Body): Conversation {
  const { input } = body;
  if (typeof input === "string") {
    const entry: Entry = { role: "user", text: input, images: [], files: [], calls: [] };
    return conversationOf([], [entry]) ?? fail();
  }
  if (!Array.isArray(input) || input.length === 0) throw missing();
  const system: string[] = [];
  const entries: Entry[] = [];
  const names = new Map<string, string>();
  for (const [index, item] of (input as unknown[]).entries()) {
    const path = `input.${index}`;
    if (!isRecord(item)) throw invalid(`\`${path}\` must be an object.`, path);
    const type = item["type"] ?? (item["role"] === undefined ? undefined : "message");
    if (type === "message") readMessage(item, path, system, entries);
    else if (type === "function_call") entries.push(readCall(item, path, names));
    else if (type === "function_call_output") entries.push(readOutput(item, path, names));
    else if (type !== "reasoning" && type !== "item_reference")
      throw invalid(`\`${path}.type\`: items of type ${quoted(type)} are not supported.`, `${path}.type`);
  }
  return conversationOf(system, entries) ?? fail();
}

function fail(): never {
  throw missing();
}

function readMessage(item: Body, path: string, system: string[], entries: Entry[]): void {
  const { role } = item;
  const { text, images, files } = contentOf(item["content"], `${path}.content`);
  if (role === "system" || role === "developer") {
    if (text.trim() !== "") system.push(text);
  } else if (role === "user" || role === "assistant") {
    entries.push({ role, text, images: role === "user" ? images : [], files: role === "user" ? files : [], calls: [] });
  } else throw invalid(`\`${path}.role\` is not known: ${quoted(role)}.`, `${path}.role`);
}

function readCall(item: Body, path: string, names: Map<string, string>): Entry {
  const { call_id: callId, name, arguments: args } = item;
  if (typeof callId !== "string" || callId === "") throw invalid(`\`${path}.call_id\` is missing.`, `${path}.call_id`);
  if (typeof name !== "string" || name === "") throw invalid(`\`${path}.name\` is missing.`, `${path}.name`);
  names.set(callId, name.slice(0, 64));
  const text = `[called ${name.slice(0, 64)}(${typeof args === "string" ? args : ""})]`;
  return { role: "assistant", text, images: [], files: [], calls: [callId] };
}

function readOutput(item: Body, path: string, names: ReadonlyMap<string, string>): Entry {
  const { call_id: callId, output } = item;
  if (typeof callId !== "string" || callId === "") throw invalid(`\`${path}.call_id\` is missing.`, `${path}.call_id`);
  const { text, images, files } = contentOf(output, `${path}.output`);
  return { role: "tool", text, images, files, calls: [], callId, name: names.get(callId) ?? callId.slice(0, 128) };
}

/** A string, or its texts joined by line breaks, with the images and files beside them. */
function contentOf(content: unknown, path: string): Content {
  if (content === undefined || content === null) return { text: "", images: [], files: [] };
  if (typeof content === "string") return { text: content, images: [], files: [] };
  if (!Array.isArray(content)) throw invalid(`\`${path}\` must be a string or an array of parts.`, path);
  const found: Content & { texts: string[] } = { text: "", texts: [], images: [], files: [] };
  for (const [index, part] of (content as unknown[]).entries()) {
    const place = `${path}.${index}`;
    if (!isRecord(part)) throw invalid(`\`${place}\` must be an object.`, place);
    const { type } = part;
    if (type === "input_text" || type === "output_text" || type === "text") {
      if (typeof part["text"] !== "string") throw invalid(`\`${place}.text\` must be a string.`, place);
      found.texts.push(part["text"]);
    } else if (type === "refusal") found.texts.push(typeof part["refusal"] === "string" ? part["refusal"] : "");
    else if (type === "input_image") found.images.push(imageOf(part, place));
    else if (type === "input_file") found.files.push(fileOf(part, place));
    else throw invalid(`\`${place}.type\`: content parts of type ${quoted(type)} are not supported.`, `${place}.type`);
  }
  return { text: found.texts.join("\n"), images: found.images, files: found.files };
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function imageOf(part: Body, param: string): ImageSource {
  const { image_url: url, source } = part;
  if (part["file_id"] !== undefined && part["file_id"] !== null)
    throw invalid("`file_id` is not supported; send the image itself.", param);
  if (isRecord(source)) {
    const data = textOf(source["data"]);
    if (source["type"] === "base64" && data !== undefined)
      return { param, mimeType: textOf(source["media_type"])?.trim().toLowerCase() ?? "", base64: data };
    const address = textOf(source["url"]);
    if (source["type"] === "url" && address !== undefined) return { param, url: address };
  }
  const given = isRecord(url) ? url["url"] : url;
  if (typeof given !== "string" || given === "")
    throw invalid("An `input_image` needs `image_url` or `source`.", param);
  return { param, url: given };
}

function fileOf(part: Body, param: string): FileSource {
  const { source } = part;
  if (part["file_id"] !== undefined && part["file_id"] !== null)
    throw invalid("`file_id` is not supported; send the file itself.", param);
  const named = textOf(part["filename"]) ?? (isRecord(source) ? textOf(source["filename"]) : undefined);
  const name = named === undefined ? {} : { name: named };
  if (isRecord(source)) {
    const data = textOf(source["data"]);
    const mime = textOf(source["media_type"])?.trim().toLowerCase();
    if (source["type"] === "base64" && data !== undefined)
      return { param, data, ...name, ...(mime === undefined ? {} : { mimeType: mime }) };
    const address = textOf(source["url"]);
    if (source["type"] === "url" && address !== undefined) return { param, url: address, ...name };
  }
  const data = textOf(part["file_data"]);
  if (data !== undefined) return { param, data, ...name };
  const url = textOf(part["file_url"]);
  if (url === undefined) throw invalid("An `input_file` needs `file_data`, `file_url` or `source`.", param);
  return { param, url, ...name };
}
