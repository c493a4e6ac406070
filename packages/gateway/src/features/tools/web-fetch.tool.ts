/** web_fetch: a public web page as text (agent.md §4.6). */
import { Type } from "typebox";
import type { ConfigSource } from "../../config/section.ts";
import type { World } from "../../kernel/world.ts";
import { textResult, tool, type Tool } from "./tool.ts";
import type { ToolsConfig } from "./tools.config.ts";
import { wrapUntrusted } from "./untrusted-text.ts";
import { defaultUserAgent, getGuarded, readableWebError } from "./guarded-get.ts";
import { parseWebUrl, type Resolver } from "./url-guard.ts";
import { systemResolver } from "./web-client.ts";
import { type ExtractMode, readPage, type WebPage } from "./web-page.ts";

const maxBodyBytes = 5_000_000;
const maxCached = 64;
const maxCachedChars = 200_000;

export interface WebFetchOptions {
  world: World;
  config: ConfigSource<{ tools: ToolsConfig }>;
  resolve?: Resolver | undefined;
}

interface Fetched extends WebPage {
  finalUrl: string;
  status: number;
  truncated: boolean;
}

export function webFetchTool(options: WebFetchOptions): Tool {
  const { world } = options;
  const cache = new Map<string, { page: Fetched; until: number }>();
  const settings = () => options.config.current.tools.web.fetch;
  return tool({
    name: "web_fetch",
    description:
      "Fetch a public web page (http or https) and return its readable text. Does not run scripts or log in.",
    params: Type.Object({
      url: Type.String({ minLength: 1, description: "http or https URL." }),
      extractMode: Type.Optional(Type.Enum(["markdown", "text"], { description: "markdown unless given." })),
      maxChars: Type.Optional(Type.Integer({ minimum: 100, description: "Most characters to return." })),
    }),
    effects: false,
    available: () => settings().enabled,
    async run(args, context) {
      const config = settings();
      const mode = args.extractMode ?? "markdown";
      const asked = parseWebUrl(args.url);
      asked.hash = "";
      const key = `${mode} ${asked.href}`;
      const known = cache.get(key);
      const cached = known !== undefined && known.until > world.monotonic();
      const page = cached ? known.page : await fetchPage(asked, mode, options, context.signal);
      if (!cached && config.cacheTtlMinutes > 0) {
        cache.delete(key);
        cache.set(key, { page, until: world.monotonic() + config.cacheTtlMinutes * 60_000 });
        for (const oldest of cache.keys()) {
          if (cache.size <= maxCached) break;
          cache.delete(oldest);
        }
      }
      const maxChars = Math.min(args.maxChars ?? config.maxChars, config.maxCharsCap);
      const text = page.text.slice(0, maxChars).toWellFormed();
      const truncated = page.truncated || text.length < page.text.length;
      const head = page.title ? `# ${page.title}\n\n` : "";
      const note = truncated ? `\n\n[The page is longer; the first ${text.length} characters are shown.]` : "";
      return textResult(wrapUntrusted(head + text, page.finalUrl, world) + note, {
        url: asked.href,
        finalUrl: page.finalUrl,
        status: page.status,
        contentType: page.contentType,
        extractMode: mode,
        extractor: page.extractor,
        ...(page.title ? { title: page.title } : {}),
        length: text.length,
        truncated,
        cached,
      });
    },
  });
}

async function fetchPage(
  start: URL,
  mode: ExtractMode,
  options: WebFetchOptions,
  signal: AbortSignal,
): Promise<Fetched> {
  const config = options.config.current.tools.web.fetch;
  const timeout = new AbortController();
  const timer = options.world.after(config.timeoutSeconds * 1_000, () => timeout.abort());
  try {
    const either = AbortSignal.any([signal, timeout.signal]);
    return await Promise.race([follow(start, mode, options, either), aborted(either)]);
  } catch (error) {
    if (signal.aborted) throw error;
    if (timeout.signal.aborted)
      throw new Error(`${start.hostname} did not answer within ${config.timeoutSeconds} seconds`, { cause: error });
    throw readableWebError(error, start);
  } finally {
    timer.cancel();
  }
}

/** Rejects at an abort, for steps that cannot be interrupted themselves, such as a name lookup. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
}

async function follow(start: URL, mode: ExtractMode, options: WebFetchOptions, signal: AbortSignal): Promise<Fetched> {
  const config = options.config.current.tools.web.fetch;
  const guard = { resolve: options.resolve ?? systemResolver, allowPrivateHosts: config.allowPrivateHosts };
  const { answer, url } = await getGuarded(start, {
    ...guard,
    // Nothing that identifies the person is ever sent, so there is nothing to drop on a redirect.
    headers: {
      "user-agent": config.userAgent ?? defaultUserAgent,
      accept:
        "text/markdown, text/html;q=0.9, application/xhtml+xml;q=0.9, application/json;q=0.8, text/*;q=0.7, */*;q=0.1",
      "accept-language": "en-US,en;q=0.9",
    },
    signal,
    maxBytes: maxBodyBytes,
    maxRedirects: config.maxRedirects,
  });
  const page = await readPage(answer, mode);
  return {
    ...page,
    text: page.text.slice(0, maxCachedChars),
    finalUrl: url.href,
    status: answer.status,
    truncated: answer.truncated || page.text.length > maxCachedChars,
  };
}
