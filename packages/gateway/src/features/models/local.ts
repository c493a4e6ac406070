/** Looks for model servers on this machine: Ollama and LM Studio. What it finds is offered, never used unasked (settled.md 12). */
import { commandLine } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import { isRecord } from "./json.ts";

export interface LocalOffer {
  provider: "ollama" | "lmstudio";
  /** For people. */
  name: string;
  baseUrl: string;
  /** At most 20 model ids, as the server lists them. */
  models: string[];
  /** The one command that selects the first of them. */
  command: string;
}

const timeoutMs = 300;
const maxBytes = 256 * 1024;
const maxModels = 20;

const places = [
  {
    provider: "ollama" as const,
    name: "Ollama",
    baseUrl: "http://127.0.0.1:11434/v1",
    listUrl: "http://127.0.0.1:11434/api/tags",
    list: "models",
    field: "name",
  },
  {
    provider: "lmstudio" as const,
    name: "LM Studio",
    baseUrl: "http://127.0.0.1:1234/v1",
    listUrl: "http://127.0.0.1:1234/v1/models",
    list: "data",
    field: "id",
  },
];

/** Never throws; a server that does not answer within 300 ms is not there. Servers without models are left out. */
export async function discoverLocal(world: World, signal: AbortSignal): Promise<LocalOffer[]> {
  const found = await Promise.all(
    places.map(async ({ provider, name, baseUrl, listUrl, list, field }): Promise<LocalOffer | undefined> => {
      const body = await readJson(world, listUrl, signal);
      const rows = isRecord(body) && Array.isArray(body[list]) ? body[list] : [];
      const models = rows
        .map((row: unknown) => (isRecord(row) ? row[field] : undefined))
        .filter((id): id is string => typeof id === "string" && /^[^\s\p{Cc}]{1,160}$/u.test(id))
        .filter((id) => !/embed/i.test(id))
        .slice(0, maxModels);
      const first = models[0];
      return first === undefined
        ? undefined
        : { provider, name, baseUrl, models, command: commandLine(world, `models set ${provider}/${first}`) };
    }),
  );
  return found.filter((offer) => offer !== undefined);
}

async function readJson(world: World, url: string, signal: AbortSignal): Promise<unknown> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal.addEventListener("abort", abort, { once: true });
  const timer = world.after(timeoutMs, abort);
  try {
    if (signal.aborted) return undefined;
    const response = await world.fetch(url, { signal: controller.signal, redirect: "error" });
    if (!response.ok || !response.body) return undefined;
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > maxBytes) return undefined;
    }
    return JSON.parse(text) as unknown;
  } catch {
    // Nothing listens there, or something else does: both mean that there is no offer.
    return undefined;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", abort);
    controller.abort();
  }
}
