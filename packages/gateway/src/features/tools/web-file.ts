/** A file by URL, behind the same guard as web_fetch (agent.md §13.7). */
import type { ConfigSource } from "../../config/section.ts";
import type { World } from "../../kernel/world.ts";
import { defaultUserAgent, getGuarded, readableWebError } from "./guarded-get.ts";
import type { ToolsConfig } from "./tools.config.ts";
import { parseWebUrl, type Resolver } from "./url-guard.ts";
import { systemResolver } from "./web-client.ts";

export interface WebFile {
  body: Buffer;
  /** As the server says, without parameters; lower case. */
  contentType: string | undefined;
  /** Last part of the path. */
  fileName: string | undefined;
}

export interface WebFilesOptions {
  world: World;
  config: ConfigSource<{ tools: ToolsConfig }>;
  resolve?: Resolver;
}

/** Makes the function that fetches. It throws with a text for people: refused address, not found, larger than `maxBytes`, or no
 *  answer in time. Redirects and time are those of `tools.web.fetch` unless the caller has limits of its own. */
export const webFiles =
  ({ world, config, resolve = systemResolver }: WebFilesOptions) =>
  async (
    text: string,
    limits: { maxBytes: number; maxRedirects?: number; timeoutMs?: number; signal: AbortSignal },
  ): Promise<WebFile> => {
    const start = parseWebUrl(text);
    const settings = config.current.tools.web.fetch;
    const timeoutMs = limits.timeoutMs ?? settings.timeoutSeconds * 1_000;
    const timeout = new AbortController();
    const timer = world.after(timeoutMs, () => timeout.abort());
    try {
      const { answer, url } = await getGuarded(start, {
        resolve,
        allowPrivateHosts: settings.allowPrivateHosts,
        headers: { "user-agent": settings.userAgent ?? defaultUserAgent, accept: "*/*" },
        signal: AbortSignal.any([limits.signal, timeout.signal]),
        maxBytes: limits.maxBytes,
        maxRedirects: limits.maxRedirects ?? settings.maxRedirects,
      });
      if (answer.truncated)
        throw new Error(`the file at ${start.hostname} is larger than ${Math.floor(limits.maxBytes / 1_000_000)} MB`);
      return {
        body: answer.body,
        contentType: answer.headers["content-type"]?.split(";")[0]?.trim().toLowerCase(),
        fileName: lastName(url),
      };
    } catch (error) {
      if (limits.signal.aborted) throw error;
      if (timeout.signal.aborted)
        throw new Error(`${start.hostname} did not answer within ${timeoutMs / 1_000} seconds`, { cause: error });
      throw readableWebError(error, start);
    } finally {
      timer.cancel();
    }
  };

function lastName(url: URL): string | undefined {
  const last = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last) || undefined;
  } catch {
    // A broken escape is a name like any other.
    return last;
  }
}
