/** The HTTP side of every dialect: World's fetch, failures classified at the status line, a watchdog on silence and a cap on
 *  size. Keys and addresses stay out of what it throws. */
import type { World } from "../../../kernel/world.ts";
import { CallFailure, classify, connectionFailure, idleFailure, retryAfter, unreadableFailure } from "../failure.ts";
import { isRecord } from "../json.ts";
import type { ModelEntry } from "../provider.ts";

/** An endpoint with its credential. Never logged. */
export interface Endpoint {
  /** Without trailing slash. */
  baseUrl: string;
  providerName: string;
  /** Absent: the endpoint needs none; a placeholder is sent. */
  apiKey?: string;
  /** Send the key as a bearer token whatever the dialect. */
  bearer: boolean;
  headers: Record<string, string>;
  compat: {
    supportsStore?: boolean | undefined;
    supportsDeveloperRole?: boolean | undefined;
    supportsReasoningEffort?: boolean | undefined;
    maxTokensField?: "max_tokens" | "max_completion_tokens" | undefined;
  };
  /** Thinking of the running tool loop is sent back. */
  replaysReasoning: boolean;
}

export interface DialectDeps {
  world: World;
  /** The current endpoint of a model. Throws GatewayError when its provider is gone. */
  endpoint: (model: ModelEntry) => Endpoint;
  /** Silence after which a stream is given up, ms. */
  idleMs: number;
}

const maxErrorBytes = 64 * 1024;
/** More than any answer; a stream that never ends must not fill memory. */
const maxStreamBytes = 64 * 1024 * 1024;

export interface Transport {
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Ends the request and the watchdog. Idempotent. */
  close(): void;
  /** Why the transport itself gave up, if it did. */
  readonly gaveUp: CallFailure | undefined;
}

/** One call's transport. `onFailure` is told at once when the watchdog or the size cap ends the call,
 *  `onBytes` whenever something arrived. */
export function openTransport(
  { world, idleMs }: Pick<DialectDeps, "world" | "idleMs">,
  model: ModelEntry,
  endpoint: Endpoint,
  signal: AbortSignal,
  { onFailure, onBytes }: { onFailure: (failure: CallFailure) => void; onBytes: () => void },
): Transport {
  const controller = new AbortController();
  let gaveUp: CallFailure | undefined;
  let heardAt = world.monotonic();
  const giveUp = (failure: CallFailure) => {
    if (gaveUp || controller.signal.aborted) return;
    gaveUp = failure;
    close();
    onFailure(failure);
  };
  // One timer that re-arms itself: a timer per chunk would cost more than reading the chunk.
  let timer = world.after(idleMs, watch);
  function watch() {
    const left = heardAt + idleMs - world.monotonic();
    if (left > 0) timer = world.after(left, watch);
    else giveUp(idleFailure(endpoint.providerName, idleMs));
  }
  const abort = () => close();
  function close() {
    timer.cancel();
    signal.removeEventListener("abort", abort);
    controller.abort();
  }
  if (signal.aborted) close();
  else signal.addEventListener("abort", abort, { once: true });

  const fetchOnce = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = input instanceof Request ? input.url : input;
    let response: Response;
    try {
      response = await world.fetch(url, { ...init, signal: controller.signal, redirect: "manual" });
    } catch (error) {
      if (gaveUp) throw gaveUp;
      if (controller.signal.aborted) throw error;
      throw connectionFailure(endpoint.providerName, hostOf(url), errorCode(error), world);
    }
    heardAt = world.monotonic();
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok || !response.body || /text\/html|application\/json/.test(type)) {
      throw await refusal(response, model, endpoint, world);
    }
    return new Response(watched(response.body), { status: response.status, headers: response.headers });
  };

  function watched(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    let bytes = 0;
    return new ReadableStream<Uint8Array>({
      async pull(out) {
        try {
          const { done, value } = await reader.read();
          if (done) return out.close();
          heardAt = world.monotonic();
          onBytes();
          bytes += value.byteLength;
          if (bytes > maxStreamBytes) {
            giveUp(unreadableFailure(endpoint.providerName, "the answer is larger than 64 MiB"));
            throw gaveUp;
          }
          out.enqueue(value);
        } catch (error) {
          out.error(
            gaveUp ??
              (controller.signal.aborted
                ? error
                : connectionFailure(endpoint.providerName, hostOf(endpoint.baseUrl), errorCode(error), world)),
          );
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }

  return {
    fetch: fetchOnce,
    close,
    get gaveUp() {
      return gaveUp;
    },
  };
}

async function refusal(response: Response, model: ModelEntry, endpoint: Endpoint, world: World): Promise<CallFailure> {
  const body = withoutSecrets(endpoint, await readStart(response));
  const { code, text } = errorIn(body);
  if (response.ok) {
    if (code !== undefined || /"error"/.test(body))
      return classify(model, endpoint.providerName, { ...(code === undefined ? {} : { code }), body: text }, world);
    return new CallFailure(
      {
        reason: "format",
        message: `${endpoint.providerName} answered with something that is no model stream. Check models.providers.${model.provider}.baseUrl.`,
      },
      { detail: response.headers.get("content-type") ?? "no body" },
    );
  }
  const wait = retryAfter(response.headers, body, world.now());
  return classify(
    model,
    endpoint.providerName,
    {
      status: response.status,
      body: text,
      ...(code === undefined ? {} : { code }),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    },
    world,
  );
}

/** The first 64 KiB of a body; what follows is not read. */
async function readStart(response: Response): Promise<string> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let bytes = 0; bytes < maxErrorBytes;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // The connection broke while the error text was read: the status line alone then decides.
  }
  // Whether the rest arrives does not matter any more.
  reader.cancel().catch(() => undefined);
  return text.slice(0, maxErrorBytes);
}

/** Providers like to repeat the key they refuse. What is cut later must not hold half of one, so it goes here already. */
export function withoutSecrets(endpoint: Endpoint, text: string): string {
  let clean = text;
  for (const secret of [endpoint.apiKey, ...Object.values(endpoint.headers)]) {
    if (secret !== undefined && secret.length >= 6) clean = clean.replaceAll(secret, "[secret]");
  }
  return clean;
}

/** Code and message of an error body in any of the four dialects; the body itself when it is no JSON. */
export function errorIn(body: string): { code?: string; text: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
    const error = isRecord(first) && isRecord(first["error"]) ? first["error"] : first;
    if (!isRecord(error)) return { text: body };
    const code = [error["code"], error["type"], error["status"]].filter((v) => typeof v === "string").join(" ");
    const message = typeof error["message"] === "string" ? error["message"] : body;
    return code === "" ? { text: message } : { code, text: message };
  } catch {
    // No JSON: the text itself is what there is to judge.
    return { text: body };
  }
}

/** The code of an error or of one of its causes. */
function errorCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; isRecord(at) && depth < 5; at = at["cause"], depth++) {
    if (typeof at["code"] === "string") return at["code"];
  }
  return undefined;
}

function hostOf(url: string | URL): string {
  try {
    return new URL(url).host;
  } catch {
    // Only used in a message; an address that cannot be parsed is left out of it.
    return "the configured address";
  }
}
