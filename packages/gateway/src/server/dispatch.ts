/** A request after the handshake: authorise → look up → validate → admit → handle → answer (architecture §3, protocol.md §8.3,
 *  §9.2). These steps exist once; handlers never repeat them. Every request gets exactly one final answer. */
import { closeRules, GatewayError, type RequestFrame } from "@openclaw/protocol";
import type { Identity } from "../kernel/call.ts";
import type { Fields, Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import type { Connection } from "./connection.ts";
import { shortIds } from "./frame-log.ts";
import { parseFrame } from "./frame.ts";
import { Idempotency, type Outcome, type OutcomePort } from "./idempotency.ts";
import { denied, methodEntries, type Denial, type MethodEntry, type ParamsValidator } from "./methods.ts";
import { RequestCall, type CallOwner } from "./open-call.ts";
import type { HandlerTable } from "./ports.ts";
import { RateLimiter } from "./rate.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { failureOf, refusal, type Failure } from "./wire-error.ts";

export const dispatchLimits = {
  inFlight: 256,
  longWaits: 256,
  unauthorisedInRow: 10,
  refusedPerWindow: 50,
  refusedWindowMs: 10_000,
  slowCallMs: 50,
  retryAfterMs: 1_000,
} as const;

export interface DispatchParts {
  world: World;
  log: Logger;
  refusals: RefusalLog;
  handlers: HandlerTable;
  validate: ParamsValidator;
  followRun: CallOwner["followRun"];
  verbose: () => boolean;
  outcomes?: OutcomePort;
}

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);

export class Dispatcher {
  readonly #world: World;
  readonly #log: Logger;
  readonly #parts: DispatchParts;
  readonly #entries: ReadonlyMap<string, MethodEntry>;
  readonly #rates: RateLimiter;
  readonly #idempotency: Idempotency;
  readonly #callOwner: CallOwner;
  #draining = false;

  constructor(parts: DispatchParts) {
    this.#world = parts.world;
    this.#log = parts.log;
    this.#parts = parts;
    this.#entries = methodEntries(parts.handlers);
    this.#rates = new RateLimiter(parts.world);
    this.#idempotency = new Idempotency(parts.world, parts.outcomes);
    this.#callOwner = { log: parts.log, followRun: parts.followRun };
  }

  /** Names for `hello-ok.features.methods`, in the order of the declarations. */
  advertised(): string[] {
    return [...this.#entries.values()].filter((entry) => entry.advertise).map((entry) => entry.name);
  }

  /** From now on only reads and stops are answered. */
  drain(): void {
    this.#draining = true;
  }

  resume(): void {
    this.#draining = false;
  }

  /** One message of an open connection. Never throws. */
  frame(connection: Connection, identity: Identity, bytes: Buffer): void {
    const parsed = parseFrame(bytes);
    if (parsed.kind === "malformed") {
      this.#parts.refusals.warn(`parse error conn=${connection.connId}: not JSON`);
      connection.close(closeRules.invalidJson);
    } else if (parsed.kind === "invalid") {
      connection.fail(parsed.id, refusal("INVALID_REQUEST", `invalid request frame: ${parsed.reason}`));
    } else this.#request(connection, identity, parsed.frame);
  }

  #request(connection: Connection, identity: Identity, frame: RequestFrame): void {
    const { id, method } = frame;
    if (method === "connect") {
      return connection.fail(id, refusal("INVALID_REQUEST", "connect is only valid as the first request"));
    }
    const entry = this.#entries.get(method);
    const denial = denied(method, identity);
    if (denial) return this.#deny(connection, identity, id, method, denial);
    connection.unauthorised = 0;
    if (!entry) {
      this.#parts.refusals.debug(`unknown method conn=${connection.connId} method=${short(method)}`);
      return connection.fail(id, refusal("INVALID_REQUEST", `unknown method: ${short(method)}`));
    }
    const params = frame.params ?? {};
    const fault = this.#parts.validate(method, params, identity.protocol);
    if (fault !== undefined)
      return connection.fail(id, refusal("INVALID_REQUEST", `invalid ${method} params: ${fault}`));
    if (!this.#admit(connection, identity, id, entry)) return;
    const call = new RequestCall(connection, identity, id, entry, this.#world.monotonic(), this.#callOwner);
    const key = entry.duplicate === "none" ? undefined : keyOf(params);
    if (key === undefined) this.#handle(call, params);
    else void this.#handleOnce(call, params, key);
  }

  #deny(connection: Connection, identity: Identity, id: string, method: string, denial: Denial): void {
    const { missing } = denial;
    const forbidden = missing !== undefined && identity.protocol >= 4;
    const details =
      missing === undefined ? undefined : { code: "MISSING_SCOPE", missingScope: missing, requiredScopes: [missing] };
    connection.fail(
      id,
      refusal(forbidden ? "FORBIDDEN" : "INVALID_REQUEST", denial.message, forbidden ? details : undefined),
    );
    connection.unauthorised++;
    if (connection.unauthorised === 1)
      this.#parts.refusals.info(
        `unauthorized call conn=${connection.connId} method=${short(method)}: ${denial.message}`,
        asker(connection, identity),
      );
    if (connection.unauthorised > dispatchLimits.unauthorisedInRow)
      return connection.close(closeRules.unauthorizedCalls);
    this.#countRefusal(connection);
  }

  /** Refusing costs less than serving: nothing is logged per refusal, and a client that goes on is closed (R-RATE-1). */
  #countRefusal(connection: Connection): void {
    const now = this.#world.monotonic();
    const recent = connection.refusedAt;
    recent.push(now);
    if (recent.length > dispatchLimits.refusedPerWindow) {
      const first = recent.shift() ?? now;
      if (now - first <= dispatchLimits.refusedWindowMs)
        connection.close({ code: 1008, reason: "too many refused requests" });
    }
  }

  #admit(connection: Connection, identity: Identity, id: string, entry: MethodEntry): boolean {
    if (entry.bypass) return true;
    const { retryAfterMs } = dispatchLimits;
    const unavailable = (message: string): false => {
      connection.fail(id, { ...refusal("UNAVAILABLE", message), retryable: true, retryAfterMs });
      this.#countRefusal(connection);
      return false;
    };
    if (this.#draining && !entry.harmless)
      return unavailable("the gateway is stopping or restarting; retry after it is back");
    if (
      entry.longWait ? connection.longWaits >= dispatchLimits.longWaits : connection.inFlight >= dispatchLimits.inFlight
    ) {
      return unavailable("too many requests in flight on this connection; wait for answers first");
    }
    const { rate } = entry;
    if (!rate) return true;
    const waitMs = this.#rates.take(`${entry.name}\0${identity.principal}\0${identity.remoteIp ?? ""}`, rate);
    if (waitMs === 0) return true;
    const seconds = Math.ceil(waitMs / 1_000);
    connection.fail(id, {
      ...refusal("UNAVAILABLE", `rate limit exceeded for ${entry.name}; retry after ${seconds}s`, {
        method: entry.name,
        limit: `${rate.calls} per ${Math.round(rate.perMs / 1_000)}s`,
      }),
      retryable: true,
      retryAfterMs: waitMs,
    });
    this.#countRefusal(connection);
    return false;
  }

  /** A handler that returns at once is answered at once; only a promise enters the ledger. */
  #handle(call: RequestCall, params: unknown): void {
    let result: unknown;
    try {
      result = call.entry.handler(params as never, call);
    } catch (error) {
      return this.#failed(call, error);
    }
    if (!(result instanceof Promise)) return this.#succeeded(call, result);
    call.enter();
    result.then(
      (payload) => this.#succeeded(call, payload),
      (error: unknown) => this.#failed(call, error),
    );
  }

  async #handleOnce(call: RequestCall, params: unknown, key: string): Promise<void> {
    call.enter();
    try {
      const outcome = await this.#idempotency.once(call.entry.name, key, call.identity.principal, () =>
        this.#outcome(call, params),
      );
      if (outcome.ok) this.#succeeded(call, outcome.payload);
      else this.#answerFailure(call, outcome);
    } catch (error) {
      this.#failed(call, error);
    }
  }

  async #outcome(call: RequestCall, params: unknown): Promise<Outcome> {
    try {
      return { ok: true, payload: await call.entry.handler(params as never, call) };
    } catch (error) {
      return { ok: false, ...this.#failure(call, error) };
    }
  }

  #succeeded(call: RequestCall, payload: unknown): void {
    if (call.settled) return;
    try {
      call.connection.answer(call.requestId, payload);
    } catch (error) {
      // The payload cannot be written as JSON: a bug of the handler, answered like one.
      return this.#failed(call, error);
    }
    call.settled = true;
    call.leave();
    this.#logResult(call, undefined);
  }

  #failed(call: RequestCall, error: unknown): void {
    // A wait that ended because its socket closed has nobody to answer and is no failure.
    if (call.connection.state !== "open" && !(error instanceof GatewayError)) {
      call.settled = true;
      call.leave();
      return this.#log.debug(`${call.entry.name} ended with its connection conn=${call.connection.connId}`, { error });
    }
    this.#answerFailure(call, this.#failure(call, error));
  }

  #failure(call: RequestCall, error: unknown): Failure {
    return failureOf(error, call.identity.protocol, call.entry.name, this.#world, this.#log);
  }

  #answerFailure(call: RequestCall, failure: Failure): void {
    if (call.settled) return;
    call.settled = true;
    call.leave();
    try {
      call.connection.fail(call.requestId, failure.error, failure.payload);
    } catch (error) {
      // Details that cannot be written as JSON; the text of the error still reaches the client.
      this.#log.error(`${call.entry.name}: the error's details are not JSON`, { error });
      call.connection.fail(call.requestId, { code: failure.error.code, message: failure.error.message });
    }
    this.#logResult(call, failure.error.message);
  }

  #logResult(call: RequestCall, failure: string | undefined): void {
    const ms = Math.round(this.#world.monotonic() - call.startedAt);
    const slow = ms >= dispatchLimits.slowCallMs && !call.entry.longWait;
    // What only an admin may do leaves a trace, done or refused, also when it was quick (S30).
    const admin = call.entry.scope === "operator.admin";
    if (failure === undefined && !slow && !admin && !this.#parts.verbose()) return;
    const who = admin ? asker(call.connection, call.identity) : undefined;
    const mark = failure === undefined ? "✓" : "✗";
    const text = `⇄ res ${mark} ${call.entry.name} ${ms}ms conn=${shortIds(call.connection.connId)} id=${short(shortIds(call.requestId))}`;
    if (failure !== undefined) this.#parts.refusals.warn(`${text} ${failure.slice(0, 240)}`, who);
    else if (slow || admin) this.#log.info(text, who);
    else this.#log.debug(text);
  }
}

/** Which credential asked, and from where. */
const asker = (connection: Connection, identity: Identity): Fields => ({
  by: identity.principal,
  client: identity.client.id,
  remote: connection.entrance.location.clientIp,
  origin: connection.entrance.origin?.slice(0, 200),
});

function keyOf(params: unknown): string | undefined {
  if (typeof params !== "object" || params === null || !("idempotencyKey" in params)) return undefined;
  return typeof params.idempotencyKey === "string" ? params.idempotencyKey : undefined;
}
