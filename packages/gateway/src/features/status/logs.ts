/** `logs.tail` (lifecycle.md §8.5): lines from a byte cursor on, or the end of the file. Reads by range, never whole. */
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { GatewayError, type MethodParams, type MethodResult } from "@openclaw/protocol";

export class LogTail {
  readonly #current: () => string;

  constructor(current: () => string) {
    this.#current = current;
  }

  async read(params: MethodParams<"logs.tail">): Promise<MethodResult<"logs.tail">> {
    const limit = params.limit ?? 500;
    const maxBytes = params.maxBytes ?? 250_000;
    const file = await this.#file();
    try {
      return await readFrom(file, params.cursor, limit, maxBytes);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "ENOENT") return { file, cursor: 0, size: 0, lines: [], truncated: false, reset: false };
      throw new GatewayError("unavailable", `log read failed: ${code ?? "unknown error"}`, { cause: error });
    }
  }

  /** Today's file, or the newest one when today's does not exist yet. */
  async #file(): Promise<string> {
    const today = this.#current();
    const exists = await stat(today).then(
      () => true,
      () => false,
    );
    if (exists) return today;
    // Profiles share the folder: only files that differ in the date are this gateway's.
    const day = /\d{4}-\d{2}-\d{2}\.log$/u;
    const undated = (name: string) => name.replace(day, "");
    if (!day.test(today)) return today;
    const names = await readdir(dirname(today)).catch(() => [] as string[]);
    const newest = names
      .filter((name) => day.test(name) && undated(name) === undated(basename(today)))
      .sort()
      .at(-1);
    return newest ? join(dirname(today), newest) : today;
  }
}

async function readFrom(file: string, cursor: number | undefined, limit: number, maxBytes: number) {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const reset = cursor !== undefined && (cursor > size || size - cursor > maxBytes);
    const fromTail = cursor === undefined || reset;
    const start = fromTail ? Math.max(0, size - maxBytes) : cursor;
    const buffer = Buffer.alloc(Math.min(size - start, maxBytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    let from = 0;
    // Jumped into the middle of the file: the first line is only a part of one.
    if (fromTail && start > 0) from = buffer.indexOf(10, 0) + 1 || bytesRead;
    const end = buffer.lastIndexOf(10, bytesRead - 1) + 1;
    const text = end > from ? buffer.toString("utf8", from, end) : "";
    const all = text.split("\n").filter((line) => line.length > 0);
    const lines = all.slice(-limit);
    return {
      file,
      cursor: start + Math.max(end, from),
      size,
      lines,
      // A first look that asks for few lines has lost nothing; a follower that gets fewer than there are has.
      truncated: (fromTail && start > 0) || (!fromTail && lines.length < all.length),
      reset,
    };
  } finally {
    await handle.close();
  }
}
