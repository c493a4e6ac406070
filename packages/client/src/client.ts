/** The gateway client: one logical connection over as many sockets as it takes. */
import type { EventFrame, EventName, EventPayload } from "@openclaw/protocol";
import type { MethodAck, MethodName, MethodParams, MethodResult } from "@openclaw/protocol";
import { Backoff } from "./backoff.ts";
import { Calls } from "./calls.ts";
import type { CallOptions, PendingCall } from "./calls.ts";
import { systemClock } from "./clock.ts";
import type { ClientClock } from "./clock.ts";
import { Connection } from "./connection.ts";
import type { ClientDescription, ConnectionEnd, Credentials, IdentitySource } from "./connection.ts";
import type { DeviceTokens } from "./device.ts";
import { ClosedError, DeadlineError, NotSentError } from "./errors.ts";
import type { Hello } from "./hello.ts";
import { webSocket } from "./socket.ts";
import type { OpenSocket } from "./socket.ts";
import { browserWakes } from "./wake.ts";

/** `idle`: not started. `connecting`: a socket is being opened. `waiting`: before the next attempt. `stopped`: for good. */
export type ClientState = "idle" | "connecting" | "connected" | "waiting" | "stopped";

export interface StateChange {
  state: ClientState;
  /** Why the last connection ended; with `waiting` and `stopped`. */
  error?: ClosedError | DeadlineError;
  /** ms until the next attempt; with `waiting`. */
  retryInMs?: number;
}

export interface Gap {
  expected: number;
  received: number;
}

export interface GatewayClientOptions {
  /** `ws://` or `wss://`. */
  url: string;
  client: ClientDescription;
  /** Default: the global WebSocket. */
  socket?: OpenSocket;
  role?: "operator" | "node";
  /** Name what you need: a gateway of protocol 4 grants nothing that was not asked for. */
  scopes?: readonly string[];
  caps?: readonly string[];
  credentials?: Credentials;
  /** Absent: only the shared secret is presented. */
  identity?: IdentitySource;
  /** Kept between connections; used when no shared secret is given. */
  deviceTokens?: DeviceTokens;
  /** Default true. False: the first failure stops the client. */
  reconnect?: boolean;
  handshakeTimeoutMs?: number;
  /** Deadline of a call that names none. Default 30 s. */
  callTimeoutMs?: number;
  /** Calls open or queued at once. Default 1024. */
  maxOpenCalls?: number;
  /** Bytes waiting in the socket before calls are refused. Default 64 MiB. */
  maxBufferedBytes?: number;
  payloadVersion?: 2 | 3;
  clock?: ClientClock;
  /** Tells when trying again at once makes sense. Default: the browser's `online` and page-visible events. */
  wakes?: (wake: () => void) => () => void;
}

type Listener<T> = (value: T) => void;

export class GatewayClient {
  readonly #options: GatewayClientOptions;
  readonly #clock: ClientClock;
  readonly #calls: Calls;
  readonly #backoff = new Backoff();
  readonly #events = new Map<string, Set<Listener<EventFrame>>>();
  readonly #states = new Set<Listener<StateChange>>();
  readonly #gaps = new Set<Listener<Gap>>();
  #state: ClientState = "idle";
  #connection: Connection | undefined;
  #hello: Hello | undefined;
  #cancelRetry: () => void = () => {};
  #stopWakes: () => void = () => {};
  #endedAt = Number.NEGATIVE_INFINITY;
  /** The gateway asked for the stored device token instead of the shared secret; once per refusal. */
  #useDeviceToken = false;
  #usedDeviceToken = false;
  /** One is stored, used or not. */
  #storedDeviceToken = false;

  constructor(options: GatewayClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#calls = new Calls(this.#clock, options.maxOpenCalls ?? 1024);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Snapshot of the present or last connection. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** Starts connecting. Idempotent while running. */
  start(): void {
    if (this.#state !== "idle") return;
    this.#stopWakes = (this.#options.wakes ?? browserWakes)(() => this.wake());
    this.#open();
  }

  /** Starts, and resolves with the first hello. Rejects when the client stops before: with `reconnect` false that is the
   *  first failure. */
  connect(): Promise<Hello> {
    return new Promise((resolve, reject) => {
      if (this.#state === "connected" && this.#hello) return resolve(this.#hello);
      if (this.#state === "stopped") return reject(new NotSentError("The client was stopped."));
      const off = this.onState(({ state, error }) => {
        if (state === "connected" && this.#hello) resolve(this.#hello);
        else if (state === "stopped") reject(error ?? new NotSentError("The client was stopped."));
        else return;
        off();
      });
      this.start();
    });
  }

  /** Ends the connection and rejects every open call. The client cannot be started again. */
  stop(): void {
    if (this.#state === "stopped") return;
    this.#cancelRetry();
    this.#stopWakes();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close(1000, "");
    this.#calls.failSent(new NotSentError("The client was stopped."), true);
    this.#enter({ state: "stopped" });
  }

  /** The network is back or the page is visible: try now, but never within 15 s of a refusal. */
  wake(): void {
    if (this.#state !== "waiting") return;
    const leftMs = this.#endedAt + this.#backoff.wakeFloorMs - this.#clock.monotonic();
    if (leftMs > 0) return;
    this.#cancelRetry();
    this.#open();
  }

  /** Calls a method. Before hello, and between connections while reconnecting, the call waits within its deadline. A call that
   *  was sent is rejected when the connection ends: repeat it with the same idempotency key.
   *  Throws RequestError, ClosedError, DeadlineError, NotSentError, or the signal's reason. */
  call<N extends MethodName>(
    method: N,
    params?: MethodParams<N>,
    options?: CallOptions<MethodAck<N>>,
  ): Promise<MethodResult<N>>;
  call(method: string, params?: unknown, options: CallOptions<never> = {}): Promise<unknown> {
    return this.callAny(method, params, options as CallOptions);
  }

  /** As `call`, for methods known only at run time. */
  callAny(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    if (this.#state === "stopped" || this.#state === "idle") {
      return Promise.reject(new NotSentError("The client is not running; call start() or connect() first."));
    }
    const withDeadline = { timeoutMs: this.#options.callTimeoutMs ?? 30_000, ...options };
    return this.#calls.start(method, params, withDeadline, (call) => {
      if (this.#state === "connected") this.#send(call);
    });
  }

  /** Registers for one event. Returns a function that ends it. */
  on<N extends EventName>(event: N, listener: (payload: EventPayload<N>, frame: EventFrame) => void): () => void {
    return this.onAny(event, (frame) => listener(frame.payload as EventPayload<N>, frame));
  }

  /** As `on`, for events known only at run time; `*` is every event. */
  onAny(event: string, listener: (frame: EventFrame) => void): () => void {
    const listeners = this.#events.get(event) ?? new Set();
    this.#events.set(event, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Events were lost on this socket: read again what is shown. Also worth doing after every hello but the first. */
  onGap(listener: (gap: Gap) => void): () => void {
    this.#gaps.add(listener);
    return () => void this.#gaps.delete(listener);
  }

  onState(listener: (change: StateChange) => void): () => void {
    this.#states.add(listener);
    return () => void this.#states.delete(listener);
  }

  #enter(change: StateChange): void {
    this.#state = change.state;
    notify(this.#states, change);
  }

  #open(): void {
    this.#enter({ state: "connecting" });
    void this.#connect();
  }

  async #connect(): Promise<void> {
    const options = this.#options;
    const role = options.role ?? "operator";
    const shared = options.credentials ?? {};
    let credentials = shared;
    let scopes = options.scopes;
    this.#usedDeviceToken = false;
    const hasSecret = Boolean(shared.token ?? shared.password ?? shared.deviceToken);
    if (options.identity && options.deviceTokens) {
      const stored = await attempt(() => options.deviceTokens?.load(role));
      this.#storedDeviceToken = stored !== undefined;
      if (stored && (!hasSecret || this.#useDeviceToken)) {
        credentials = { deviceToken: stored.token };
        // A token grants what was approved for it; asking for more would be refused as a whole, for less would waste it.
        if (scopes && stored.scopes.length > 0) scopes = grantable(scopes, stored.scopes);
        this.#usedDeviceToken = true;
      }
    }
    if (this.#state !== "connecting") return;
    const connection: Connection = new Connection(
      {
        url: options.url,
        socket: options.socket ?? webSocket,
        clock: this.#clock,
        client: options.client,
        role,
        scopes,
        caps: options.caps ?? [],
        credentials,
        identity: options.identity,
        handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
        payloadVersion: options.payloadVersion ?? 3,
      },
      {
        hello: (hello) => this.#accepted(hello),
        response: (frame) => this.#calls.answer(frame),
        event: (frame) => this.#dispatch(frame),
        gap: (expected, received) => notify(this.#gaps, { expected, received }),
        end: (end) => {
          if (this.#connection === connection) this.#ended(end);
        },
      },
    );
    this.#connection = connection;
  }

  #accepted(hello: Hello): void {
    this.#hello = hello;
    this.#backoff.succeeded();
    this.#useDeviceToken = false;
    const { auth } = hello;
    if (auth?.deviceToken && this.#options.deviceTokens) {
      const token = { token: auth.deviceToken, scopes: auth.scopes };
      // Losing a token costs one pairing, never the connection.
      void attempt(() => this.#options.deviceTokens?.save(auth.role, token));
    }
    this.#enter({ state: "connected" });
    this.#calls.sendQueued((call) => this.#send(call));
  }

  #send(call: PendingCall): void {
    const connection = this.#connection;
    if (!connection) throw new NotSentError("There is no connection.");
    const maxBytes = this.#options.maxBufferedBytes ?? 64 * 1024 * 1024;
    if (connection.bufferedBytes + call.size > maxBytes) {
      throw new NotSentError("The gateway reads too slowly: more is waiting to be sent than allowed.");
    }
    call.sent = true;
    connection.send(call.text);
  }

  #dispatch(frame: EventFrame): void {
    const named = this.#events.get(frame.event);
    if (named) notify(named, frame);
    const all = this.#events.get("*");
    if (all) notify(all, frame);
  }

  #ended(end: ConnectionEnd): void {
    if (this.#state === "stopped") return;
    this.#connection = undefined;
    this.#endedAt = this.#clock.monotonic();
    const error = end.deadlineMs === undefined ? new ClosedError(end) : new DeadlineError(end.deadlineMs);
    const again = this.#noteRefusal(end);
    if (again) {
      this.#open();
      return;
    }
    const reconnect = this.#options.reconnect ?? true;
    this.#calls.failSent(error, !reconnect);
    if (!reconnect) {
      this.#stopWakes();
      this.#enter({ state: "stopped", error });
      return;
    }
    this.#backoff.failed(end.refusal !== undefined || end.code === 1008 || end.code === 1002);
    const retryInMs = this.#backoff.delayMs(this.#clock.random());
    this.#cancelRetry = this.#clock.after(retryInMs, () => this.#open());
    this.#enter({ state: "waiting", error, retryInMs });
  }

  /** Forgets a device token the gateway no longer knows. True: connect again at once with the other credential. */
  #noteRefusal(end: ConnectionEnd): boolean {
    const details = (end.refusal?.details ?? {}) as { code?: unknown; canRetryWithDeviceToken?: unknown };
    const text = end.refusal?.message ?? end.reason;
    if (
      this.#usedDeviceToken &&
      (details.code === "AUTH_DEVICE_TOKEN_MISMATCH" || /device token mismatch/.test(text))
    ) {
      // A token that cannot be removed is refused again, and the person told.
      void attempt(() => this.#options.deviceTokens?.clear(this.#options.role ?? "operator"));
      this.#useDeviceToken = false;
      return false;
    }
    if (details.canRetryWithDeviceToken === true && !this.#useDeviceToken && this.#storedDeviceToken) {
      this.#useDeviceToken = true;
      return true;
    }
    return false;
  }
}

/** What of the wanted scopes a token with those `granted` can give; a narrower token gives all it has. */
function grantable(wanted: readonly string[], granted: readonly string[]): string[] {
  const within = (scope: string) =>
    !wanted.includes(scope) &&
    ((scope.startsWith("operator.") && wanted.includes("operator.admin")) ||
      (scope === "operator.read" && wanted.includes("operator.write")));
  return [...wanted.filter((scope) => granted.includes(scope)), ...granted.filter(within)];
}

/** Storage of tokens may fail (full disk, private window): the connection works without it. */
async function attempt<T>(run: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch {
    return undefined; // As if nothing were stored.
  }
}

/** One listener's error must not silence the others or break the connection; it surfaces as an uncaught error instead. */
function notify<T>(listeners: ReadonlySet<Listener<T>>, value: T): void {
  for (const listener of Array.from(listeners)) {
    try {
      listener(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
