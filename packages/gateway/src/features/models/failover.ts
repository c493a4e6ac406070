/** One model call made reliable: retries before any output, lower thinking when the level is refused, then the next model
 *  (agent.md §3.5, 3.6). Visible text is never repeated: after the first word a failure is final. */
import type { AssistantMessage } from "@openclaw/protocol";
import { GatewayError } from "@openclaw/protocol";
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import type { Cooldowns } from "./cooldown.ts";
import { CallFailure, abortedFailure } from "./failure.ts";
import type {
  FailureReason,
  ModelEntry,
  ModelEvent,
  ModelFailure,
  ModelProvider,
  ModelRequest,
  ThinkingLevel,
} from "./provider.ts";
import { pause } from "./pause.ts";
import { nearestThinking } from "./thinking.ts";

/** Retries of the same model, and the first pause between them. */
const maxRetries = 3;
const firstPauseMs = 2_000;
/** A provider that asks for more patience than this is left to the cooldown. */
const maxPauseMs = 60_000;

export interface Candidate {
  model: ModelEntry;
  /** Names provider and credential for the cooldowns. */
  cooldownKey: string;
  /** What is missing before it can be asked at all. */
  missing?: string;
}

export interface FailoverDeps {
  world: World;
  log: Logger;
  cooldowns: Cooldowns;
  dialect: (model: ModelEntry) => Promise<ModelProvider>;
}

type Attempt = { ref: string; reason: FailureReason; message: string };

/** Never throws; ends with `done` or `failed`. `candidates` is not empty, best first. */
export async function* streamWithFailover(
  deps: FailoverDeps,
  candidates: readonly Candidate[],
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { cooldowns, log } = deps;
  const attempts: Attempt[] = [];
  const counter = { value: 0 };
  let first: ModelFailure | undefined;
  for (const candidate of choose(candidates, cooldowns, attempts)) {
    const { model } = candidate;
    if (candidate.missing !== undefined) {
      const failure: ModelFailure = { reason: "auth", message: candidate.missing };
      attempts.push({ ref: model.ref, reason: failure.reason, message: failure.message });
      first ??= failure;
      continue;
    }
    const outcome = yield* tryModel(deps, model, request, signal, counter);
    if (outcome === undefined) {
      cooldowns.succeeded(candidate.cooldownKey);
      return;
    }
    const { failure } = outcome.failure;
    attempts.push({ ref: model.ref, reason: failure.reason, message: failure.message });
    first ??= failure;
    if (failure.reason !== "aborted") {
      cooldowns.failed(candidate.cooldownKey, failure.reason, failure.retryAfterMs);
      log.warn("model call failed", {
        model: model.ref,
        reason: failure.reason,
        status: failure.status,
        detail: outcome.failure.detail,
      });
    }
    if (outcome.visible || failure.reason === "aborted" || failure.reason === "context_overflow") {
      return yield { type: "failed", failure, attempts, ...(outcome.message ? { message: outcome.message } : {}) };
    }
  }
  // What became of the model that was asked for; `attempts` tells the rest.
  yield { type: "failed", failure: first ?? { reason: "unknown", message: "No model could be asked." }, attempts };
}

/** Candidates worth asking. One that cools down is skipped, unless nothing else is left: then the one nearest to its end. */
function choose(candidates: readonly Candidate[], cooldowns: Cooldowns, attempts: Attempt[]): Candidate[] {
  const resting = new Map(candidates.map((candidate) => [candidate, cooldowns.of(candidate.cooldownKey)]));
  const ready = candidates.filter((candidate) => !resting.get(candidate) && candidate.missing === undefined);
  if (ready.length > 0) {
    for (const candidate of candidates) {
      const rest = resting.get(candidate);
      if (rest)
        attempts.push({
          ref: candidate.model.ref,
          reason: rest.reason,
          message: `left alone for another ${Math.ceil(rest.leftMs / 1000)} s`,
        });
    }
    return ready;
  }
  const hope = candidates
    .filter((candidate) => candidate.missing === undefined)
    .sort((a, b) => (resting.get(a)?.leftMs ?? 0) - (resting.get(b)?.leftMs ?? 0))[0];
  return hope ? [hope] : [...candidates];
}

interface Outcome {
  failure: CallFailure;
  message: AssistantMessage | undefined;
  /** Text or a tool call had been passed on. */
  visible: boolean;
}

/** Undefined when the model answered; its `done` has been yielded. */
async function* tryModel(
  deps: FailoverDeps,
  model: ModelEntry,
  request: ModelRequest,
  signal: AbortSignal,
  counter: { value: number },
): AsyncGenerator<ModelEvent, Outcome | undefined> {
  let thinking: ThinkingLevel = request.thinking;
  let retries = 0;
  for (;;) {
    if (signal.aborted) return { failure: abortedFailure(), message: undefined, visible: false };
    yield { type: "start", ref: model.ref, provider: model.provider, model: model.id, attempt: ++counter.value };
    const outcome = yield* once(deps, model, { ...request, thinking }, signal);
    if (outcome === undefined || outcome.visible) return outcome;
    const { failure, transient, thinkingLevels } = outcome.failure;
    if (thinkingLevels && thinking !== "off") {
      thinking = (thinking === request.thinking && nearestThinking(thinking, thinkingLevels)) || "off";
      continue;
    }
    if (!transient || retries >= maxRetries) return outcome;
    const pauseMs = Math.max(firstPauseMs * 2 ** retries, failure.retryAfterMs ?? 0);
    if (pauseMs > maxPauseMs) return outcome;
    retries++;
    deps.log.info("model call will be tried again", {
      model: model.ref,
      reason: failure.reason,
      retry: retries,
      pauseMs,
    });
    await pause(deps.world, pauseMs, signal);
  }
}

async function* once(
  deps: FailoverDeps,
  model: ModelEntry,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent, Outcome | undefined> {
  let visible = false;
  try {
    const dialect = await deps.dialect(model);
    for await (const event of dialect.stream(model, request, signal)) {
      if (event.type === "ended") return { failure: event.failure, message: event.message, visible };
      // Nothing may be heard of a call that was aborted; what had come before stays.
      if (signal.aborted) {
        if (event.type !== "done") continue;
        const content = event.message.content.filter((part) => part.type !== "toolCall");
        return {
          failure: abortedFailure(),
          message: content.length > 0 ? { ...event.message, content, stopReason: "aborted" } : undefined,
          visible,
        };
      }
      if (event.type === "toolCall" || (event.type === "text" && event.delta !== "")) visible = true;
      yield event;
      if (event.type === "done") return undefined;
    }
    return { failure: broken(deps, model, new Error("a dialect ended without a result")), message: undefined, visible };
  } catch (error) {
    return { failure: broken(deps, model, error), message: undefined, visible };
  }
}

/** A failure of ours, not of the provider: its text stays in the log. */
function broken(deps: FailoverDeps, model: ModelEntry, error: unknown): CallFailure {
  if (error instanceof CallFailure) return error;
  if (error instanceof GatewayError) return new CallFailure({ reason: "format", message: error.message });
  deps.log.error("a model call could not be made", { model: model.ref, error });
  return new CallFailure({
    reason: "format",
    message: `The request for ${model.ref} could not be built; the log says why.`,
  });
}
