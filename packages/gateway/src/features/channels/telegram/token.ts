/** The bot's token, read when an account connects (channels.md §7.1). */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { expandHome } from "../../../kernel/paths.ts";
import type { World } from "../../../kernel/world.ts";
import type { TokenPlace } from "./settings.ts";

const maxTokenFileBytes = 4_096;

/** The token, or why there is none, in words for people. */
export async function readToken(place: TokenPlace, world: World): Promise<{ token: string } | { problem: string }> {
  if (place.from === "none") return { problem: "No bot token is configured." };
  const text = place.from === "file" ? await readTokenFile(place.path, world) : place.value;
  if (typeof text !== "string") return text;
  const token = text.trim();
  const where =
    place.from === "file" ? `The token file ${place.path}` : place.from === "env" ? "TELEGRAM_BOT_TOKEN" : "botToken";
  if (!/^\d{1,20}:[\w-]{1,200}$/u.test(token))
    return { problem: `${where} holds no bot token: expected 123456789:AA….` };
  return { token };
}

async function readTokenFile(path: string, world: World): Promise<string | { problem: string }> {
  const real = expandHome(path, world);
  let file;
  try {
    // A FIFO must not block the start.
    file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { problem: `The token file ${path} cannot be read (${code}).` };
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return { problem: `The token file ${path} is not a regular file.` };
    if (stat.size > maxTokenFileBytes) return { problem: `The token file ${path} is too large to hold a token.` };
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
