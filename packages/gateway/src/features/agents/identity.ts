/** Identity lines of a workspace's IDENTITY.md, cached by the file's stamp. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Identity {
  name?: string;
  theme?: string;
  emoji?: string;
  avatar?: string;
}

const maxBytes = 64 * 1024;
const fields: Record<string, keyof Identity> = { name: "name", emoji: "emoji", theme: "theme", avatar: "avatar" };

/** Values of lines such as `- **Name:** Ada`. Placeholders of the template (in parentheses or brackets) do not count. */
export function parseIdentity(text: string): Identity {
  const identity: Identity = {};
  for (const line of text.split("\n")) {
    const match = /^[\s*_-]*([A-Za-z]+)[*_]*:[*_]*\s*(.*?)\s*$/.exec(line);
    const field =
      match?.[1] && Object.hasOwn(fields, match[1].toLowerCase()) ? fields[match[1].toLowerCase()] : undefined;
    const value = match?.[2]?.replace(/^[*_`]+|[*_`]+$/g, "") ?? "";
    if (field && value !== "" && !/^[([<]/.test(value)) identity[field] ??= value.slice(0, 500);
  }
  return identity;
}

export class IdentityFiles {
  readonly #cache = new Map<string, { stamp: string; identity: Identity }>();

  /** Empty when the file is missing or unreadable. */
  read(workspace: string): Identity {
    const path = join(workspace, "IDENTITY.md");
    try {
      const { mtimeMs, size } = statSync(path);
      const stamp = `${mtimeMs}:${size}`;
      const cached = this.#cache.get(path);
      if (cached?.stamp === stamp) return cached.identity;
      const identity = size > maxBytes ? {} : parseIdentity(readFileSync(path, "utf8"));
      if (this.#cache.size >= 256) this.#cache.clear();
      this.#cache.set(path, { stamp, identity });
      return identity;
    } catch {
      // A workspace without the file is normal: the agent then has no identity of its own.
      return {};
    }
  }
}
