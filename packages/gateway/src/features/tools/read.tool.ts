/** read: a file as text by lines, or an image (agent.md §4.1). */
import type { FileHandle } from "node:fs/promises";
import { Type } from "typebox";
import type { World } from "../../kernel/world.ts";
import { fileScope, openForReading, resolvePath } from "./file-access.ts";
import { imageType } from "./image-type.ts";
import { textResult, tool, type Tool } from "./tool.ts";

const maxLines = 2_000;
const maxBytes = 50 * 1024;
/** Providers take about 5 MB of base64 per image. */
const maxImageBytes = 3_750_000;
const chunkBytes = 64 * 1024;

export interface FileToolOptions {
  world: World;
  /** Read at use. */
  workspaceOnly: () => boolean;
}

export function readTool(options: FileToolOptions): Tool {
  return tool({
    name: "read",
    description: `Read a file. Text comes back as at most ${maxLines} lines or ${maxBytes / 1024} KB from offset; images (png, jpg, gif, webp) as an image.`,
    params: Type.Object({
      path: Type.String({ minLength: 1, description: "Path, relative to the workspace or absolute." }),
      offset: Type.Optional(Type.Integer({ minimum: 1, description: "First line to read, counted from 1." })),
      limit: Type.Optional(Type.Integer({ minimum: 1, description: "Most lines to read." })),
    }),
    effects: false,
    async run(params, context) {
      const scope = fileScope(context, options.workspaceOnly());
      const path = resolvePath(params.path, scope, options.world);
      const { handle } = await openForReading(path, scope);
      try {
        const { size } = await handle.stat();
        const head = Buffer.alloc(Math.min(8192, Math.max(size, 1)));
        const { bytesRead } = await handle.read(head, 0, head.length, 0);
        const start = head.subarray(0, bytesRead);
        const mimeType = imageType(start);
        if (mimeType !== undefined) return await readImage(handle, { path, size, mimeType });
        if (start.includes(0)) {
          throw new Error(
            `${path} is a binary file of ${size} bytes and cannot be read as text. Use exec to inspect it.`,
          );
        }
        const offset = params.offset ?? 1;
        const part = await readLines(handle, offset, Math.min(params.limit ?? maxLines, maxLines), context.signal);
        if (part.lines === 0 && offset > 1) {
          throw new Error(`${path} has ${part.seen} lines; offset ${offset} is past its end.`);
        }
        return textResult(part.text + hint(part, offset), { path, size, offset, lines: part.lines, more: part.more });
      } finally {
        await handle.close();
      }
    },
  });
}

async function readImage(handle: FileHandle, file: { path: string; size: number; mimeType: string }) {
  if (file.size > maxImageBytes) {
    throw new Error(
      `${file.path} is an image of ${file.size} bytes; at most ${maxImageBytes} can be shown. Make a smaller copy with exec and read that.`,
    );
  }
  const data = Buffer.alloc(file.size);
  const { bytesRead } = await handle.read(data, 0, file.size, 0);
  return {
    content: [
      { type: "text" as const, text: `Image ${file.path} (${file.mimeType}, ${bytesRead} bytes)` },
      { type: "image" as const, data: data.toString("base64", 0, bytesRead), mimeType: file.mimeType },
    ],
    details: { path: file.path, size: file.size, mimeType: file.mimeType },
  };
}

interface Part {
  text: string;
  /** Whole or cut lines in `text`. */
  lines: number;
  /** Lines passed in all. */
  seen: number;
  more: boolean;
  /** The only line was longer than what may be returned. */
  cutLine: boolean;
}

/** Reads through the file in chunks and keeps only the lines asked for, so that a huge file costs no memory. */
async function readLines(handle: FileHandle, offset: number, limit: number, signal: AbortSignal): Promise<Part> {
  const chunk = Buffer.alloc(chunkBytes);
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let line = 1;
  let position = 0;
  const last = offset + limit;
  let more = false;
  let endsOpen = false;
  reading: for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    let from = 0;
    while (from < bytesRead) {
      if (line >= last || keptBytes > maxBytes) {
        more = true;
        break reading;
      }
      const found = chunk.indexOf(10, from);
      const newline = found >= bytesRead ? -1 : found;
      const to = newline === -1 ? bytesRead : newline + 1;
      if (line >= offset) {
        const piece = chunk.subarray(from, Math.min(to, from + maxBytes + 1 - keptBytes));
        kept.push(Buffer.from(piece));
        keptBytes += piece.length;
      }
      endsOpen = newline === -1;
      if (newline !== -1) line++;
      from = to;
    }
  }
  const seen = line - 1 + (endsOpen ? 1 : 0);
  const bytes = Buffer.concat(kept);
  if (bytes.length <= maxBytes)
    return { text: textOf(bytes), lines: Math.max(0, countLines(bytes)), seen, more, cutLine: false };
  const end = bytes.lastIndexOf(10, maxBytes - 1);
  const part = end === -1 ? bytes.subarray(0, maxBytes) : bytes.subarray(0, end + 1);
  return { text: textOf(part), lines: countLines(part), seen, more: true, cutLine: end === -1 };
}

const textOf = (bytes: Buffer): string => new TextDecoder("utf-8").decode(bytes);

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++;
  return bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? count + 1 : count;
}

function hint(part: Part, offset: number): string {
  if (part.cutLine) {
    return `\n\n[Line ${offset} is longer than ${maxBytes / 1024} KB and was cut. Use exec, for example with cut, for the rest; offset=${offset + 1} continues after it.]`;
  }
  if (!part.more) return "";
  const next = offset + part.lines;
  return `\n\n[Lines ${offset}-${next - 1} are shown; the file goes on. Use offset=${next} to continue.]`;
}
