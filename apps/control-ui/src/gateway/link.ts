/** The one connection of the page, as signals: its phase, what the gateway offers, and a call for everything. Makes a new
 *  client whenever address or secret change; the client package does the protocol, the waiting and the retrying. */
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import {
  ClosedError,
  GatewayClient,
  NotSentError,
  type CallOptions,
  type Hello,
  type StateChange,
} from "@openclaw/client";
import type { EventFrame, EventName, EventPayload, MethodName, MethodParams, MethodResult } from "@openclaw/protocol";
import { deviceIdentity } from "./identity.ts";
import { refusalOf, type Refusal, type RefusalKind } from "./refusal.ts";
import { Secrets } from "./secrets.ts";
import { readText, writeText } from "./storage.ts";

/** What the connection is doing, with all a person needs to know about it. Moments are ms since the epoch. */
export type Phase =
  | { name: "connecting"; again: boolean }
  | { name: "connected" }
  | { name: "offline"; retryAt: number }
  | { name: "restarting"; reason: string; expectedAt: number | undefined }
  /** Without `retryAt` nothing is tried before the person acts. */
  | { name: "refused"; refusal: Refusal; retryAt: number | undefined };

export interface LinkOptions {
  url: string;
  /** Of the app, told to the gateway. */
  version: string;
  /** Default: the one of this browser. */
  identity?: typeof deviceIdentity;
}

/** A shutdown is believed that long; then the gateway counts as away. */
const restartPatienceMs = 30_000;
const guessed: ReadonlySet<RefusalKind> = new Set<RefusalKind>(["token-wrong", "password-wrong"]);
const wantedScopes = ["operator.admin", "operator.approvals", "operator.pairing"] as const;

export class GatewayLink {
  readonly #version: string;
  readonly #identity: typeof deviceIdentity;
  readonly #url: ReturnType<typeof signal<string>>;
  readonly #phase = signal<Phase>({ name: "connecting", again: false });
  readonly #hello = signal<Hello | undefined>(undefined);
  readonly #events = new Map<string, Set<(frame: EventFrame) => void>>();
  readonly #refreshes = new Set<(why: "hello" | "gap") => void>();
  #secrets: Secrets;
  #client: GatewayClient | undefined;
  #announced: { reason: string; expectedAt: number | undefined; until: number } | undefined;
  #gapWaiting = false;

  constructor(options: LinkOptions) {
    this.#version = options.version;
    this.#identity = options.identity ?? deviceIdentity;
    this.#url = signal(options.url);
    this.#secrets = new Secrets(options.url);
  }

  get phase(): ReadonlySignal<Phase> {
    return this.#phase;
  }

  /** Of the present or last connection. */
  get hello(): ReadonlySignal<Hello | undefined> {
    return this.#hello;
  }

  readonly connected: ReadonlySignal<boolean> = computed(() => this.#phase.value.name === "connected");

  get url(): string {
    return this.#url.value ?? "";
  }

  get secrets(): Secrets {
    return this.#secrets;
  }

  start(): void {
    this.#connect();
  }

  /** Another address from the next connection on; its secrets are its own. */
  move(url: string): void {
    if (url === this.url) return;
    this.#url.value = url;
    this.#secrets = new Secrets(url);
    this.#hello.value = undefined;
  }

  /** A new connection, after secrets or address changed. */
  restart(): void {
    this.#connect();
  }

  /** Tries now instead of waiting. After a refusal too: a person asked for it. */
  retryNow(): void {
    if (this.#phase.peek().name !== "connected") this.#connect();
  }

  /** Whether the gateway offers the method; true before it said anything. */
  offers(method: string): boolean {
    const methods = this.#hello.value?.features.methods;
    return methods === undefined || methods.includes(method);
  }

  /** Whether this connection holds the scope. */
  may(scope: string): boolean {
    const held = this.#hello.value?.auth?.scopes ?? wantedScopes;
    if (held.includes("operator.admin") || held.includes(scope)) return true;
    return scope === "operator.read" && held.includes("operator.write");
  }

  /** Typed call. Rejects as the client does, at once while there is no connection. */
  call<N extends MethodName>(method: N, params: MethodParams<N>, options?: CallOptions): Promise<MethodResult<N>> {
    return this.callAny(method, params, options) as Promise<MethodResult<N>>;
  }

  /** As `call`, for methods known only at run time. */
  callAny(method: string, params?: unknown, options: CallOptions = {}): Promise<unknown> {
    if (!this.#client || this.#client.state !== "connected")
      return Promise.reject(new NotSentError("There is no connection to the gateway."));
    return this.#client.callAny(method, params, options);
  }

  /** Registers for an event over all connections. Returns a function that ends it. */
  on<N extends EventName>(event: N, listener: (payload: EventPayload<N>, frame: EventFrame) => void): () => void {
    return this.onAny(event, (frame) => listener(frame.payload as EventPayload<N>, frame));
  }

  /** As `on`; `*` is every event. */
  onAny(event: string, listener: (frame: EventFrame) => void): () => void {
    const listeners = this.#events.get(event) ?? new Set();
    this.#events.set(event, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Called when everything shown should be read again: after each hello, and once for a burst of gaps. */
  onRefresh(listener: (why: "hello" | "gap") => void): () => void {
    this.#refreshes.add(listener);
    return () => void this.#refreshes.delete(listener);
  }

  #connect(): void {
    this.#client?.stop();
    const url = this.url;
    const secrets = this.#secrets;
    const credentials = secrets.credentials();
    // Offered beside a secret only when there is one: a wrong secret would otherwise be tried twice.
    const fallback = Object.keys(credentials).length === 0 || secrets.hasDeviceToken;
    const client = new GatewayClient({
      url,
      client: {
        id: "openclaw-control-ui",
        version: this.#version,
        platform: platformName(),
        mode: "webchat",
        instanceId: tabId(),
      },
      scopes: wantedScopes,
      caps: ["tool-events", "tool-results", "presence-delta"],
      credentials,
      identity: this.#identity,
      ...(fallback ? { deviceTokens: secrets.deviceTokens } : {}),
    });
    this.#client = client;
    const mine = () => this.#client === client;
    client.onState((change) => {
      if (mine()) this.#changed(change, client);
    });
    client.onAny("*", (frame) => {
      if (mine()) this.#dispatch(frame);
    });
    client.onGap(() => {
      if (mine()) this.#noteGap();
    });
    client.start();
  }

  #changed({ state, error, retryInMs = 0 }: StateChange, client: GatewayClient): void {
    const before = this.#phase.peek();
    if (state === "connected") {
      this.#announced = undefined;
      this.#hello.value = client.hello;
      this.#secrets.keepDeviceToken(client.hello?.auth);
      this.#phase.value = { name: "connected" };
      this.#refresh("hello");
    } else if (state === "connecting") {
      // Trying again changes nothing a person can use: what is known about the trouble stays on screen.
      if (before.name === "connected" || before.name === "connecting")
        this.#phase.value = { name: "connecting", again: this.#hello.peek() !== undefined };
    } else if (state === "waiting") {
      this.#phase.value = this.#trouble(error, Date.now() + retryInMs);
    }
  }

  #trouble(error: StateChange["error"], retryAt: number): Phase {
    const refusal = refusalOf(error, { origin: location.origin });
    if (refusal) {
      if (!guessed.has(refusal.kind)) return { name: "refused", refusal, retryAt };
      // Offering the same wrong secret again only leads to a lock: wait for another one.
      this.#client?.stop();
      return { name: "refused", refusal, retryAt: undefined };
    }
    const planned = error instanceof ClosedError && (error.code === 1012 || error.code === 1013);
    if (planned && !this.#announced)
      this.#announced = { reason: "", expectedAt: undefined, until: Date.now() + restartPatienceMs };
    if (this.#announced && Date.now() < this.#announced.until) {
      const { reason, expectedAt } = this.#announced;
      return { name: "restarting", reason, expectedAt };
    }
    return { name: "offline", retryAt };
  }

  #dispatch(frame: EventFrame): void {
    if (frame.event === "shutdown") this.#noteShutdown(frame.payload as EventPayload<"shutdown">);
    for (const name of [frame.event, "*"]) {
      for (const listener of this.#events.get(name) ?? []) {
        try {
          listener(frame);
        } catch (error) {
          console.error(error); // One view's mistake must not stop the others.
        }
      }
    }
  }

  #noteShutdown({ reason, restartExpectedMs }: EventPayload<"shutdown">): void {
    const now = Date.now();
    this.#announced = {
      reason,
      expectedAt: typeof restartExpectedMs === "number" ? now + restartExpectedMs : undefined,
      until: now + restartPatienceMs,
    };
  }

  #noteGap(): void {
    if (this.#gapWaiting) return;
    this.#gapWaiting = true;
    setTimeout(() => {
      this.#gapWaiting = false;
      if (this.connected.peek()) this.#refresh("gap");
    }, 100);
  }

  #refresh(why: "hello" | "gap"): void {
    for (const listener of this.#refreshes) listener(why);
  }
}

function platformName(): string {
  const { platform } = navigator;
  return platform === "" ? "web" : platform.slice(0, 60);
}

/** Tells two tabs of one browser apart. */
function tabId(): string {
  const stored = readText("session", "openclaw.tab");
  if (stored) return stored;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  writeText("session", "openclaw.tab", id);
  return id;
}
