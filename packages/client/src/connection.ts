/** One socket's life: challenge, `connect`, hello, frames, silence. Never reused; the client makes the next one. */
import { protocolVersions, wireLimits } from "@openclaw/protocol";
import type { EventFrame, ResponseFrame, WireError } from "@openclaw/protocol";
import type { ClientClock } from "./clock.ts";
import { devicePayload } from "./device.ts";
import type { DeviceIdentity } from "./device.ts";
import { isHello } from "./hello.ts";
import type { Hello } from "./hello.ts";
import type { OpenSocket, Socket } from "./socket.ts";

export interface ClientDescription {
  /** A program id of protocol.md §3.3. */
  id: string;
  version: string;
  platform: string;
  mode: string;
  displayName?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  /** Stable per installation. */
  instanceId?: string;
}

export interface Credentials {
  token?: string;
  password?: string;
  /** A token the gateway issued to this device. */
  deviceToken?: string;
}

/** A function is called when the gateway asks for a signature, and not before: a key is made only if somebody answers. */
export type IdentitySource = DeviceIdentity | (() => DeviceIdentity | Promise<DeviceIdentity>);

export interface ConnectionSettings {
  url: string;
  socket: OpenSocket;
  clock: ClientClock;
  client: ClientDescription;
  role: string;
  scopes: readonly string[] | undefined;
  caps: readonly string[];
  credentials: Credentials;
  identity: IdentitySource | undefined;
  handshakeTimeoutMs: number;
  /** Version of the signed payload; 2 for gateways of early 2026. */
  payloadVersion: 2 | 3;
}

export interface ConnectionEnd {
  code: number;
  reason: string;
  refusal?: WireError;
  /** Whether hello had been received. */
  wasConnected: boolean;
  error?: Error;
  /** The handshake took longer than this. */
  deadlineMs?: number;
}

export interface ConnectionEvents {
  hello(hello: Hello): void;
  response(frame: ResponseFrame): void;
  event(frame: EventFrame): void;
  gap(expected: number, received: number): void;
  /** Exactly once. */
  end(end: ConnectionEnd): void;
}

const connectId = "connect";

type Incoming = { type?: unknown; id?: unknown; event?: unknown; payload?: unknown; seq?: unknown };

export class Connection {
  readonly #settings: ConnectionSettings;
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  readonly #cancelHandshake: () => void;
  #cancelWatch: () => void = () => {};
  #phase: "opening" | "asked" | "connected" | "ended" = "opening";
  #refusal: WireError | undefined;
  #lastFrameAt: number;
  /** Undefined until the first numbered event: older gateways count over all clients. */
  #lastSeq: number | undefined;

  constructor(settings: ConnectionSettings, events: ConnectionEvents) {
    this.#settings = settings;
    this.#events = events;
    const { clock, handshakeTimeoutMs } = settings;
    this.#lastFrameAt = clock.monotonic();
    this.#cancelHandshake = clock.after(handshakeTimeoutMs, () => {
      this.#abandon({ code: 1006, reason: "no hello in time", deadlineMs: handshakeTimeoutMs });
    });
    this.#socket = settings.socket(settings.url, {
      // A device must sign the challenge; without one there is nothing to wait for.
      open: () => {
        if (!settings.identity) void this.#connect(undefined);
      },
      message: (text) => this.#receive(text),
      close: (code, reason, error) => this.#finish({ code, reason, ...(error ? { error } : {}) }),
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Over at once for this side; the closing handshake happens behind it. */
  close(code: number, reason: string): void {
    this.#abandon({ code, reason });
  }

  /** Closes without waiting for the other side: it may be gone. */
  #abandon(end: Omit<ConnectionEnd, "wasConnected">): void {
    // First the end, then the socket: closing may report itself at once, with less to tell.
    this.#finish(end);
    this.#socket.close(end.deadlineMs === undefined ? end.code : 1000, end.reason);
  }

  #finish(end: Omit<ConnectionEnd, "wasConnected">): void {
    if (this.#phase === "ended") return;
    const wasConnected = this.#phase === "connected";
    this.#phase = "ended";
    this.#cancelHandshake();
    this.#cancelWatch();
    this.#events.end({ ...end, ...(this.#refusal ? { refusal: this.#refusal } : {}), wasConnected });
  }

  #receive(text: string): void {
    if (this.#phase === "ended") return;
    this.#lastFrameAt = this.#settings.clock.monotonic();
    let frame: Incoming;
    try {
      frame = JSON.parse(text) as Incoming;
    } catch {
      return; // Not a frame; a gateway never sends one, and ending the connection would help nobody.
    }
    if (typeof frame !== "object" || frame === null) return;
    if (frame.type === "event" && typeof frame.event === "string") this.#event(frame as EventFrame);
    else if (frame.type === "res" && typeof frame.id === "string") this.#response(frame as ResponseFrame);
  }

  #event(frame: EventFrame): void {
    if (frame.event === "connect.challenge") {
      if (this.#phase === "opening" && this.#settings.identity) void this.#connect(frame.payload);
      return;
    }
    if (typeof frame.seq === "number") {
      const last = this.#lastSeq;
      // Heard before.
      if (last !== undefined && frame.seq <= last) return;
      if (last !== undefined && frame.seq > last + 1) this.#events.gap(last + 1, frame.seq);
      this.#lastSeq = frame.seq;
    }
    this.#events.event(frame);
  }

  #response(frame: ResponseFrame): void {
    if (frame.id !== connectId) {
      this.#events.response(frame);
      return;
    }
    if (this.#phase !== "asked") return;
    if (!frame.ok) {
      this.#refusal = frame.error ?? { code: "UNAVAILABLE", message: "connect refused" };
      const mismatch = this.#refusal.message.startsWith("protocol mismatch");
      this.#abandon({ code: mismatch ? 1002 : 1008, reason: "connect failed" });
      return;
    }
    if (!isHello(frame.payload)) {
      this.#abandon({ code: 1002, reason: "the answer to connect is not hello-ok" });
      return;
    }
    this.#phase = "connected";
    this.#cancelHandshake();
    this.#watch(frame.payload.policy.tickIntervalMs);
    this.#events.hello(frame.payload);
  }

  async #connect(challenge: unknown): Promise<void> {
    this.#phase = "asked";
    const settings = this.#settings;
    try {
      const device = settings.identity ? await this.#sign(settings.identity, challenge) : undefined;
      if (this.#phase !== "asked") return;
      const { credentials } = settings;
      const params = {
        minProtocol: protocolVersions[0],
        maxProtocol: protocolVersions[protocolVersions.length - 1],
        client: settings.client,
        caps: settings.caps,
        role: settings.role,
        ...(settings.scopes ? { scopes: settings.scopes } : {}),
        ...(device ? { device } : {}),
        ...(Object.keys(credentials).length > 0 ? { auth: credentials } : {}),
      };
      this.#socket.send(JSON.stringify({ type: "req", id: connectId, method: "connect", params }));
    } catch (error) {
      this.#abandon({ code: 1000, reason: "", error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  async #sign(source: IdentitySource, challenge: unknown): Promise<Record<string, unknown>> {
    const { nonce, ts } = (challenge ?? {}) as { nonce?: unknown; ts?: unknown };
    if (typeof nonce !== "string" || nonce === "") throw new Error("the gateway's challenge has no nonce");
    const settings = this.#settings;
    const identity = typeof source === "function" ? await source() : source;
    // The gateway's own clock, when it tells it, so that a wrong local clock cannot lock a device out.
    const signedAtMs = Number.isInteger(ts) ? (ts as number) : settings.clock.now();
    const payload = devicePayload(settings.payloadVersion, {
      deviceId: identity.deviceId,
      clientId: settings.client.id,
      clientMode: settings.client.mode,
      role: settings.role,
      scopes: settings.scopes ?? [],
      signedAtMs,
      token: settings.credentials.token ?? settings.credentials.deviceToken ?? "",
      nonce,
      platform: settings.client.platform,
      ...(settings.client.deviceFamily ? { deviceFamily: settings.client.deviceFamily } : {}),
    });
    const signature = await identity.sign(payload);
    return { id: identity.deviceId, publicKey: identity.publicKey, signature, signedAt: signedAtMs, nonce };
  }

  /** Any frame counts as life; after two tick intervals without one the connection is given up. */
  #watch(tickIntervalMs: number): void {
    const { clock } = this.#settings;
    const intervalMs =
      Number.isFinite(tickIntervalMs) && tickIntervalMs > 0 ? tickIntervalMs : wireLimits.tickIntervalMs;
    const look = () => {
      const silentMs = clock.monotonic() - this.#lastFrameAt;
      const leftMs = 2 * intervalMs - silentMs;
      if (leftMs <= 0) this.#abandon({ code: 4000, reason: "tick timeout" });
      else this.#cancelWatch = clock.after(leftMs, look);
    };
    look();
  }
}
