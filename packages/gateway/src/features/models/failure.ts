/** What went wrong with a model call, said once and for people (agent.md §3.5, 8.6). Raw bodies never pass: they decide the
 *  reason and go, cut, to the log only. */
import { commandLine } from "../../kernel/paths.ts";
import type { World } from "../../kernel/world.ts";
import type { FailureReason, ModelEntry, ModelFailure, ThinkingLevel } from "./provider.ts";
import { parseThinkingLevel } from "./provider.ts";

/** What is known about a failed call. */
export interface Symptom {
  status?: number;
  /** Error code or type the provider named. */
  code?: string;
  /** Text of the answer or of the error event; cut by the reader. */
  body?: string;
  retryAfterMs?: number;
}

export class CallFailure extends Error {
  readonly failure: ModelFailure;
  /** The same request may succeed in a moment. */
  readonly transient: boolean;
  /** For the log: what the provider said, cut. Not for people. */
  readonly detail: string;
  /** The provider refused the thinking level; these it named (`off` is always possible). */
  readonly thinkingLevels: readonly ThinkingLevel[] | undefined;

  constructor(
    failure: ModelFailure,
    rest: { transient?: boolean; detail?: string; thinkingLevels?: ThinkingLevel[] } = {},
  ) {
    super(failure.message);
    this.name = "CallFailure";
    this.failure = failure;
    this.transient = rest.transient ?? false;
    this.detail = (rest.detail ?? "").slice(0, 300);
    this.thinkingLevels = rest.thinkingLevels;
  }
}

/** agent.md §7.1, plus the codes providers use for the same. */
const overflow =
  /request_too_large|context length exceeded|context_length_exceeded|maximum context length|prompt is too long|exceeds (the )?model context window|context window of|input is too long|input token count exceeds|exceeds the available context size|too many tokens in the prompt/;
const billing =
  /insufficient_quota|insufficient_balance|insufficient balance|credit balance|payment required|billing|out of credits|exceeded your current quota|purchase credits/;
const limited =
  /rate.?limit|too many requests|resource.?exhausted|quota|overloaded|over capacity|capacity exceeded|throttl/;
const overloaded = /overloaded|over capacity|high demand/;
const unauthorised =
  /invalid.{0,12}api.?key|incorrect api key|api key not valid|authentication|unauthorized|permission_denied|expired token|token.{0,10}expired|no auth credentials/;
const unknownModel =
  /model.{0,80}(not found|does not exist|not exist|not available|is not supported|unknown|not a valid)|(no such|unknown|invalid) model|model_not_found|is not a valid model/;
const timedOut = /etimedout|timed? ?out|deadline exceeded|deadline_exceeded/;
const aboutThinking =
  /reasoning[_. ]?effort|thinking(_level|_budget|\.| level| budget| is not)|reasoning is not supported/;

const choosing = (world: Pick<World, "env">): string => commandLine(world, "models set <provider/model>");

/** Turns a symptom into the failure of a call of `model`. */
export function classify(
  model: Pick<ModelEntry, "ref" | "id" | "provider">,
  providerName: string,
  symptom: Symptom,
  world: Pick<World, "env">,
): CallFailure {
  const { status } = symptom;
  const said = `${symptom.code ?? ""} ${symptom.body ?? ""}`.trim();
  const text = said.toLowerCase();
  const fail = (
    reason: FailureReason,
    message: string,
    rest: { transient?: boolean; thinkingLevels?: ThinkingLevel[] } = {},
  ) =>
    new CallFailure(
      {
        reason,
        message,
        ...(status === undefined ? {} : { status }),
        ...(symptom.retryAfterMs === undefined ? {} : { retryAfterMs: symptom.retryAfterMs }),
      },
      { ...rest, detail: said },
    );
  const http = status === undefined ? "" : ` (HTTP ${status})`;

  if (overflow.test(text) || (status === 413 && /too large/.test(text))) {
    return fail("context_overflow", `The conversation is longer than ${model.ref} can read.`);
  }
  if (status === 402 || billing.test(text)) {
    return fail(
      "billing",
      `${providerName} reports that credit or quota is used up${http}. Check the billing page of that account.`,
    );
  }
  if (status === 404 || ((status === undefined || status === 400 || status === 403) && unknownModel.test(text))) {
    return fail(
      "format",
      `model "${model.id}" is not offered by ${providerName}; choose one with "${choosing(world)}".`,
    );
  }
  if (status === 401 || status === 403 || (status !== 429 && unauthorised.test(text))) {
    return fail(
      "auth",
      `${providerName} refused the key${http}. Set a valid one with models.providers.${model.provider}.apiKey or the provider's environment variable.`,
    );
  }
  if (status === 429 || status === 529 || (status !== 400 && limited.test(text))) {
    const wait = symptom.retryAfterMs === undefined ? "in a moment" : `in ${Math.ceil(symptom.retryAfterMs / 1000)} s`;
    const what = status === 529 || overloaded.test(text) ? "is overloaded" : "limits requests";
    return fail("rate_limit", `${providerName} ${what}${http}. Try again ${wait}.`, { transient: true });
  }
  if (status === 408 || status === 504 || (status === undefined && timedOut.test(text))) {
    return fail("timeout", `${providerName} did not answer in time${http}.`, { transient: true });
  }
  if (status !== undefined && status >= 500) {
    return fail("unknown", `${providerName} has a problem of its own${http}. Try again in a moment.`, {
      transient: true,
    });
  }
  if (status !== undefined && status >= 400) {
    if (aboutThinking.test(text)) {
      return fail("format", `${model.ref} does not accept this thinking level${http}.`, {
        thinkingLevels: levelsIn(text),
      });
    }
    return fail(
      "format",
      `${providerName} refused the request as malformed${http}. If it happens again, start over with /new.`,
    );
  }
  if (status !== undefined && status >= 300) {
    return fail(
      "format",
      `${providerName} answered with a redirect${http}. Check models.providers.${model.provider}.baseUrl.`,
    );
  }
  return fail("unknown", `${providerName} broke off with an error. Try again in a moment.`, { transient: true });
}

/** A connection that could not be made or broke. `code` is Node's (`ECONNREFUSED` …). */
export function connectionFailure(
  providerName: string,
  host: string,
  code: string | undefined,
  world: Pick<World, "env">,
): CallFailure {
  const local = /^(127\.|localhost|\[::1\])/.test(host);
  const refused = code === "ECONNREFUSED";
  const message =
    local && refused
      ? `${providerName} is not running at ${host}. Start it, or choose another model with "${choosing(world)}".`
      : `${providerName} could not be reached${code === undefined ? "" : ` (${code})`}. Check the network and models.providers.*.baseUrl.`;
  if (
    code === "ETIMEDOUT" ||
    code === "UND_ERR_CONNECT_TIMEOUT" ||
    code === "UND_ERR_HEADERS_TIMEOUT" ||
    code === "UND_ERR_BODY_TIMEOUT"
  ) {
    return new CallFailure(
      { reason: "timeout", message: `${providerName} did not answer in time.` },
      { transient: true, detail: code },
    );
  }
  return new CallFailure({ reason: "network", message }, { transient: true, detail: code ?? "" });
}

export const abortedFailure = (): CallFailure =>
  new CallFailure({ reason: "aborted", message: "The call was aborted." });

export const idleFailure = (providerName: string, idleMs: number): CallFailure =>
  new CallFailure({ reason: "timeout", message: `${providerName} sent nothing for ${Math.round(idleMs / 1000)} s.` });

/** The stream ended before the provider said that it was complete. */
export const truncatedFailure = (providerName: string): CallFailure =>
  new CallFailure(
    { reason: "network", message: `${providerName} broke off before the answer was complete.` },
    { transient: true, detail: "the stream ended without a stop reason" },
  );

export const unreadableFailure = (providerName: string, detail: string): CallFailure =>
  new CallFailure(
    { reason: "unknown", message: `${providerName} sent an answer that cannot be read.` },
    { transient: true, detail },
  );

/** `retry-after` in seconds or as a date, `retry-after-ms`, or Google's RetryInfo in the body. Milliseconds. */
export function retryAfter(headers: Headers, body: string, now: number): number | undefined {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const header = headers.get("retry-after")?.trim();
  if (header) {
    const seconds = Number(header);
    if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
    const date = Date.parse(header);
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  const delay = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(body);
  return delay ? Number(delay[1]) * 1000 : undefined;
}

function levelsIn(text: string): ThinkingLevel[] {
  const named = /(?:supported|allowed|valid)(?: values)?[^.]*?:([^.]*)/.exec(text)?.[1] ?? "";
  const levels = new Set<ThinkingLevel>();
  for (const [word] of named.matchAll(/[a-z]+/g)) {
    const level = word === "none" ? "off" : parseThinkingLevel(word);
    if (level) levels.add(level);
  }
  return [...levels];
}
