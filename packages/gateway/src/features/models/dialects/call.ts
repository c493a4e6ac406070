/** One model call through the provider library: its parts become ModelEvents. Tool calls are held back until the provider
 *  said that the answer is complete, so a torn stream never yields half a call. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import type { AssistantMessage, StopReason, TextContent, ThinkingContent, ToolCallContent } from "@openclaw/protocol";
import { CallFailure, abortedFailure, classify, truncatedFailure, unreadableFailure } from "../failure.ts";
import { isRecord } from "../json.ts";
import type { CallEnd, ModelEntry, ModelEvent } from "../provider.ts";
import { usageOf } from "../usage.ts";
import { toSignature } from "./prompt.ts";
import type { DialectDeps, Endpoint, Transport } from "./transport.ts";
import { errorIn, openTransport, withoutSecrets } from "./transport.ts";

export interface CallPlan {
  /** Builds the library's model on the given transport. */
  model: (fetch: Transport["fetch"]) => LanguageModelV4;
  options: LanguageModelV4CallOptions;
  /** Namespace of the metadata to keep. */
  namespace: string;
}

/** Never throws. Ends with `done` or `ended`. */
export async function* streamCall(
  deps: DialectDeps,
  model: ModelEntry,
  endpoint: Endpoint,
  plan: CallPlan,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent | CallEnd> {
  const answer = new Answer(model, plan.namespace, deps.world.now());
  // Whatever the library does with its own promises, an abort or a silence ends the call in the same turn.
  const line = new Line(deps.world);
  const onAbort = () => line.cut(abortedFailure());
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const transport = openTransport(deps, model, endpoint, signal, {
    onFailure: (failure) => line.cut(failure),
    onBytes: () => line.heard(),
  });
  let opening: Promise<ReadableStreamDefaultReader<LanguageModelV4StreamPart>> | undefined;
  let reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart> | undefined;
  try {
    opening = Promise.resolve(plan.model(transport.fetch).doStream(plan.options)).then((result) =>
      result.stream.getReader(),
    );
    while (reader === undefined) {
      const opened = await line.wait(opening);
      if (opened === alive) yield signOfLife;
      else reader = opened;
    }
    let reading = reader.read();
    for (;;) {
      const read = await line.wait(reading);
      if (read === alive) {
        yield signOfLife;
        continue;
      }
      if (read.done) break;
      const event = answer.take(read.value);
      if (event) {
        line.passed();
        yield event;
      }
      if (answer.error !== undefined) throw answer.error;
      reading = reader.read();
    }
    const message = answer.finish(endpoint.providerName);
    yield* answer.toolEvents();
    yield { type: "done", message };
  } catch (error) {
    const failure =
      transport.gaveUp ?? (signal.aborted ? abortedFailure() : toFailure(error, model, endpoint, deps.world));
    yield { type: "ended", failure, message: answer.partial(failure) };
  } finally {
    signal.removeEventListener("abort", onAbort);
    transport.close();
    // The transport is closed already; how the library winds down is of no interest.
    opening?.then((late) => late.cancel()).catch(() => undefined);
  }
}

const alive = Symbol("alive");
const signOfLife: ModelEvent = { type: "thinking", delta: "" };
/** Arriving bytes that show nothing are reported this often, so that a long thought is not taken for a hang. */
const lifeMs = 10_000;

/** Waits for the library, unless the call is cut first; also notices bytes that lead to no event. */
class Line {
  readonly #world: DialectDeps["world"];
  #failure: CallFailure | undefined;
  #waiting: { resolve: (value: typeof alive) => void; reject: (failure: CallFailure) => void } | undefined;
  #passedAt: number;

  constructor(world: DialectDeps["world"]) {
    this.#world = world;
    this.#passedAt = world.monotonic();
  }

  cut(failure: CallFailure): void {
    this.#failure ??= failure;
    this.#waiting?.reject(this.#failure);
  }

  heard(): void {
    if (this.#world.monotonic() - this.#passedAt < lifeMs || !this.#waiting) return;
    this.passed();
    this.#waiting.resolve(alive);
  }

  passed(): void {
    this.#passedAt = this.#world.monotonic();
  }

  wait<T>(promise: Promise<T>): Promise<T | typeof alive> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      promise.then(resolve, reject);
      if (this.#failure) reject(this.#failure);
    });
  }
}

interface Block {
  part: TextContent | ThinkingContent;
  metadata: Record<string, unknown>;
}

class Answer {
  error: unknown;
  readonly #model: ModelEntry;
  readonly #namespace: string;
  readonly #startedAt: number;
  readonly #blocks = new Map<string, Block>();
  readonly #content: { part: TextContent | ThinkingContent | ToolCallContent; block?: Block }[] = [];
  readonly #calls: Extract<ModelEvent, { type: "toolCall" }>[] = [];
  #end: Extract<LanguageModelV4StreamPart, { type: "finish" }> | undefined;

  constructor(model: ModelEntry, namespace: string, startedAt: number) {
    this.#model = model;
    this.#namespace = namespace;
    this.#startedAt = startedAt;
  }

  take(part: LanguageModelV4StreamPart): ModelEvent | undefined {
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
        this.#block(part.type, part.id, part.providerMetadata);
        return undefined;
      case "text-delta": {
        const block = this.#block(part.type, part.id, part.providerMetadata);
        if (part.delta === "" || block.part.type !== "text") return undefined;
        block.part.text += part.delta;
        return { type: "text", delta: part.delta };
      }
      case "reasoning-delta": {
        const block = this.#block(part.type, part.id, part.providerMetadata);
        if (part.delta === "" || block.part.type !== "thinking") return undefined;
        block.part.thinking += part.delta;
        return { type: "thinking", delta: part.delta };
      }
      case "text-end":
      case "reasoning-end":
        this.#block(part.type, part.id, part.providerMetadata);
        this.#blocks.delete(blockKey(part.type, part.id));
        return undefined;
      case "tool-call":
        if (!part.providerExecuted) this.#call(part);
        return undefined;
      case "finish":
        this.#end = part;
        return undefined;
      case "error":
        this.error = part.error;
        return undefined;
      default:
        return undefined;
    }
  }

  /** The whole message. Throws CallFailure when the provider never said that it was complete, or refused to go on. */
  finish(providerName: string): AssistantMessage {
    const reason = this.#end?.finishReason;
    if (
      !reason ||
      ((reason.unified === "interrupted" || reason.unified === "other" || reason.unified === "error") &&
        reason.raw === undefined)
    ) {
      throw truncatedFailure(providerName);
    }
    if (reason.unified === "content-filter") {
      throw new CallFailure({
        reason: "format",
        message: `${providerName} stopped the answer: its content filter refused it.`,
      });
    }
    if (reason.unified === "error") throw unreadableFailure(providerName, reason.raw ?? "");
    const stopReason: StopReason = this.#calls.length > 0 ? "toolUse" : reason.unified === "length" ? "length" : "stop";
    return this.#message(stopReason);
  }

  *toolEvents(): Generator<ModelEvent> {
    yield* this.#calls;
  }

  /** What had arrived, without tool calls; undefined when nothing had. */
  partial(failure: CallFailure): AssistantMessage | undefined {
    const message = this.#message(failure.failure.reason === "aborted" ? "aborted" : "error");
    message.content = message.content.filter((part) => part.type !== "toolCall");
    if (message.content.length === 0) return undefined;
    if (message.stopReason === "error") message.errorMessage = failure.failure.message;
    return message;
  }

  #message(stopReason: StopReason): AssistantMessage {
    const content: AssistantMessage["content"] = [];
    for (const { part, block } of this.#content) {
      const signature =
        block && toSignature({ [this.#namespace]: block.metadata } as SharedV4ProviderMetadata, this.#namespace);
      if (part.type === "text") {
        if (part.text !== "" || signature)
          content.push(signature ? { ...part, textSignature: signature } : { ...part });
      } else if (part.type === "thinking") {
        if (part.thinking !== "" || signature)
          content.push(signature ? { ...part, thinkingSignature: signature } : { ...part });
      } else content.push(part);
    }
    const usage = this.#end?.usage;
    const cacheRead = usage?.inputTokens.cacheRead ?? 0;
    const cacheWrite = usage?.inputTokens.cacheWrite ?? 0;
    return {
      role: "assistant",
      content,
      api: this.#model.api,
      provider: this.#model.provider,
      model: this.#model.id,
      usage: usageOf(this.#model, {
        input: usage?.inputTokens.noCache ?? (usage?.inputTokens.total ?? 0) - cacheRead - cacheWrite,
        output: usage?.outputTokens.total ?? 0,
        cacheRead,
        cacheWrite,
      }),
      stopReason,
      timestamp: this.#startedAt,
    };
  }

  #block(type: string, id: string, metadata: SharedV4ProviderMetadata | undefined): Block {
    const key = blockKey(type, id);
    let block = this.#blocks.get(key);
    if (!block) {
      block = {
        part: type.startsWith("text") ? { type: "text", text: "" } : { type: "thinking", thinking: "" },
        metadata: {},
      };
      this.#blocks.set(key, block);
      this.#content.push({ part: block.part, block });
    }
    for (const [name, value] of Object.entries(metadata?.[this.#namespace] ?? {})) {
      if (value !== null && value !== undefined) block.metadata[name] = value;
    }
    return block;
  }

  #call(part: Extract<LanguageModelV4StreamPart, { type: "tool-call" }>): void {
    const { value, invalid } = parseArguments(part.input);
    const signature = toSignature(part.providerMetadata, this.#namespace);
    const event = { type: "toolCall" as const, id: part.toolCallId, name: part.toolName, arguments: value };
    this.#calls.push(invalid === undefined ? event : { ...event, invalid });
    this.#content.push({
      part: {
        type: "toolCall",
        id: part.toolCallId,
        name: part.toolName,
        arguments: value,
        ...(signature ? { thoughtSignature: signature } : {}),
      },
    });
  }
}

const blockKey = (type: string, id: string) => `${type.startsWith("text") ? "text" : "thinking"}:${id}`;

/** No text at all counts as `{}`: some providers leave the arguments of a parameterless tool out. */
function parseArguments(text: string): { value: Record<string, unknown>; invalid?: string } {
  if (text.trim() === "") return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return { value };
  } catch {
    // Reported below: the model is told what it wrote.
  }
  return { value: {}, invalid: text };
}

/** Finds our own failure inside what the library wrapped around it, else judges the provider's error event. */
function toFailure(error: unknown, model: ModelEntry, endpoint: Endpoint, world: DialectDeps["world"]): CallFailure {
  for (let at: unknown = error, depth = 0; at !== undefined && at !== null && depth < 6; depth++) {
    if (at instanceof CallFailure) return at;
    at = at instanceof Error ? at.cause : undefined;
  }
  const fields = isRecord(error) || error instanceof Error ? (error as unknown as Record<string, unknown>) : {};
  const body = typeof fields["responseBody"] === "string" ? fields["responseBody"] : safeJson(fields["data"]);
  const inner = body === undefined ? undefined : errorIn(body);
  const status =
    typeof fields["statusCode"] === "number"
      ? fields["statusCode"]
      : typeof fields["code"] === "number"
        ? fields["code"]
        : undefined;
  const code = [fields["type"], fields["code"], inner?.code].filter((v) => typeof v === "string").join(" ");
  const text = [typeof error === "string" ? error : fields["message"], inner?.text]
    .filter((v) => typeof v === "string")
    .join(" ");
  const named = status !== undefined || code !== "";
  if (!named && error instanceof Error) {
    return unreadableFailure(endpoint.providerName, withoutSecrets(endpoint, `${error.name}: ${error.message}`));
  }
  return classify(
    model,
    endpoint.providerName,
    {
      ...(status !== undefined && status >= 400 && status < 600 ? { status } : {}),
      ...(code === "" ? {} : { code }),
      body: withoutSecrets(endpoint, text).slice(0, 4_096),
    },
    world,
  );
}

function safeJson(value: unknown): string | undefined {
  try {
    return value === undefined ? undefined : JSON.stringify(value);
  } catch {
    // A value that cannot be written decides nothing.
    return undefined;
  }
}
