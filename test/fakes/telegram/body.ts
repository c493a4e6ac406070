/** Request bodies as the Bot API takes them: query, JSON, urlencoded, multipart. Values arrive parsed where they are JSON. */
import type { IncomingMessage } from "node:http";
import type { Json } from "./types.ts";

export interface Body {
  params: Json;
  uploads: Record<string, { name: string; data: Buffer }>;
}

export async function readBody(request: IncomingMessage, query: URLSearchParams): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  const params: Json = {};
  for (const [name, value] of query) params[name] = parsed(value);
  const uploads: Body["uploads"] = {};
  if (raw.length === 0) return { params, uploads };
  if (type.startsWith("application/json")) Object.assign(params, JSON.parse(raw.toString("utf8")));
  else if (type.startsWith("application/x-www-form-urlencoded"))
    for (const [name, value] of new URLSearchParams(raw.toString("utf8"))) params[name] = parsed(value);
  else if (type.startsWith("multipart/form-data")) readMultipart(raw, type, params, uploads);
  return { params, uploads };
}

function readMultipart(raw: Buffer, type: string, params: Json, uploads: Body["uploads"]): void {
  const boundary = /boundary="?([^";]+)/u.exec(type)?.[1];
  if (boundary === undefined) throw new Error("multipart without a boundary");
  const mark = Buffer.from(`--${boundary}`);
  for (let at = raw.indexOf(mark); at >= 0;) {
    const start = at + mark.length + 2;
    const next = raw.indexOf(mark, start);
    if (next < 0) break;
    const part = raw.subarray(start, next - 2);
    at = next;
    const split = part.indexOf("\r\n\r\n");
    const head = part.subarray(0, split).toString("utf8");
    const data = part.subarray(split + 4);
    const name = /name="?([^";\r\n]+)/iu.exec(head)?.[1] ?? "";
    const file = /filename="?([^"\r\n]+?)"?(?:;|\r|\n|$)/iu.exec(head)?.[1];
    if (file === undefined) params[name] = parsed(data.toString("utf8"));
    else uploads[name] = { name: file, data: Buffer.from(data) };
  }
}

/** Form values carry JSON for everything but texts. */
function parsed(value: string): unknown {
  if (/^(?:[[{]|true$|false$|-?\d{1,15}$)/u.test(value)) {
    try {
      return JSON.parse(value);
    } catch {
      // A text that begins like JSON.
    }
  }
  return value;
}
