/** A raw connection for tests: sends exactly what it is told, records every frame in order, and waits for what is expected.
 *  It knows nothing of our client package, so that both sides of the wire are judged independently. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { WebSocket } from "ws";

export interface WireFrame {
  type: "req" | "res" | "event";
  id?: string;
  ok?: boolean;
  event?: string;
  seq?: number;
  stateVersion?: { presence: number; health: number };
  payload?: Record<string, unknown>;
  error?: {
    code: string;
    message: string;
    details?: Record<string, unknown>;
    retryable?: boolean;
    retryAfterMs?: number;
  };
}

export interface Closed {
  code: number;
  reason: string;
}

interface Waiter {
  matches: (frame: WireFrame) => boolean;
  resolve: (frame: WireFrame) => void;
  reject: (error: Error) => void;
}

export interface Device {
  id: string;
  publicKey: string;
  key: KeyObject;
}

const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** An Ed25519 device; from a 32-byte hex seed when given. */
export function makeDevice(seedHex?: string): Device {
  const key = seedHex
    ? createPrivateKey({ key: Buffer.concat([pkcs8Prefix, Buffer.from(seedHex, "hex")]), format: "der", type: "pkcs8" })
    : generateKeyPairSync("ed25519").privateKey;
  const raw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { id: createHash("sha256").update(raw).digest("hex"), publicKey: raw.toString("base64url"), key };
}

export interface ConnectOptions {
  token?: string;
  password?: string;
  deviceToken?: string;
  device?: Device;
  /** Signature payload version; default v3 when negotiating 4, else v2. */
  signature?: "v1" | "v2" | "v3";
  nonce?: string | null;
  signedAt?: number;
  signedScopes?: string[];
  role?: string;
  scopes?: string[];
  min?: number;
  max?: number;
  client?: Record<string, unknown>;
  caps?: string[];
  extra?: Record<string, unknown>;
}

/** `params` of a connect request, signed when a device is given. */
export function connectParams(options: ConnectOptions, nonce: string | undefined): Record<string, unknown> {
  const client = { id: "cli", version: "test", platform: "linux", mode: "cli", ...options.client } as Record<
    string,
    string
  >;
  const max = options.max ?? 3;
  const auth =
    options.token !== undefined || options.password !== undefined || options.deviceToken !== undefined
      ? {
          ...(options.token === undefined ? {} : { token: options.token }),
          ...(options.password === undefined ? {} : { password: options.password }),
          ...(options.deviceToken === undefined ? {} : { deviceToken: options.deviceToken }),
        }
      : undefined;
  const params: Record<string, unknown> = {
    minProtocol: options.min ?? max,
    maxProtocol: max,
    client,
    caps: options.caps ?? [],
    ...(auth ? { auth } : {}),
    ...(options.role === undefined ? {} : { role: options.role }),
    ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
  };
  if (options.device) params.device = signDevice(options, client, auth, nonce, max);
  return { ...params, ...options.extra };
}

function signDevice(
  options: ConnectOptions,
  client: Record<string, string>,
  auth: { token?: string; deviceToken?: string } | undefined,
  challenge: string | undefined,
  max: number,
): Record<string, unknown> {
  const device = options.device as Device;
  const nonce = options.nonce === null ? undefined : (options.nonce ?? challenge);
  const signedAt = options.signedAt ?? Date.now();
  const version = options.signature ?? (max >= 4 ? "v3" : nonce === undefined ? "v1" : "v2");
  const fields = [
    version,
    device.id,
    client.id,
    client.mode,
    options.role ?? "operator",
    (options.signedScopes ?? options.scopes ?? []).join(","),
    String(signedAt),
    auth?.token ?? auth?.deviceToken ?? "",
  ];
  if (version !== "v1") fields.push(nonce ?? "");
  if (version === "v3") fields.push((client.platform ?? "").toLowerCase(), (client.deviceFamily ?? "").toLowerCase());
  const signature = sign(null, Buffer.from(fields.join("|"), "utf8"), device.key).toString("base64url");
  return { id: device.id, publicKey: device.publicKey, signature, signedAt, ...(nonce === undefined ? {} : { nonce }) };
}

export class Wire {
  readonly socket: WebSocket;
  /** Every frame received, in order. */
  readonly frames: WireFrame[] = [];
  readonly closed: Promise<Closed>;
  #waiters: Waiter[] = [];
  #ended: Closed | undefined;
  #ids = 0;

  constructor(url: string, options: { headers?: Record<string, string>; origin?: string } = {}) {
    this.socket = new WebSocket(url, {
      perMessageDeflate: false,
      headers: options.headers ?? {},
      ...(options.origin ? { origin: options.origin } : {}),
    });
    this.socket.on("message", (data) => this.#received(JSON.parse(String(data)) as WireFrame));
    this.socket.on("error", () => {
      // The close event follows and says what matters.
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => {
        this.#ended = { code, reason: String(reason) };
        for (const waiter of this.#waiters) waiter.reject(new Error(`socket closed ${code} ${String(reason)}`));
        this.#waiters = [];
        resolve(this.#ended);
      });
    });
  }

  /** Opens a socket and waits for the challenge. */
  static async open(
    url: string,
    options: { headers?: Record<string, string>; origin?: string } = {},
  ): Promise<Wire & { nonce: string }> {
    const wire = new Wire(url, options) as Wire & { nonce: string };
    const challenge = await wire.event("connect.challenge");
    wire.nonce = String(challenge.payload?.nonce);
    return wire;
  }

  /** Opens, connects and returns the open connection with its hello-ok payload. Throws when refused. */
  static async connect(
    url: string,
    options: ConnectOptions,
    socket: { headers?: Record<string, string>; origin?: string } = {},
  ) {
    const wire = await Wire.open(url, socket);
    const answer = await wire.request("connect", connectParams(options, wire.nonce));
    if (!answer.ok) throw new Error(`connect refused: ${answer.error?.code} ${answer.error?.message}`);
    return Object.assign(wire, { hello: answer.payload as Record<string, never> & { [key: string]: unknown } });
  }

  #received(frame: WireFrame): void {
    this.frames.push(frame);
    for (const waiter of this.#waiters.slice()) {
      if (!waiter.matches(frame)) continue;
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.resolve(frame);
    }
  }

  sendText(text: string | Buffer): void {
    this.socket.send(text);
  }

  send(frame: unknown): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The first frame, received already or to come, that matches. `from` skips earlier ones. */
  wait(matches: (frame: WireFrame) => boolean, from = 0): Promise<WireFrame> {
    const found = this.frames.slice(from).find(matches);
    if (found) return Promise.resolve(found);
    if (this.#ended) return Promise.reject(new Error(`socket closed ${this.#ended.code} ${this.#ended.reason}`));
    return new Promise((resolve, reject) => this.#waiters.push({ matches, resolve, reject }));
  }

  event(
    name: string,
    matches: (payload: Record<string, unknown>) => boolean = () => true,
    from = 0,
  ): Promise<WireFrame> {
    return this.wait((frame) => frame.type === "event" && frame.event === name && matches(frame.payload ?? {}), from);
  }

  /** Sends a request and waits for its first answer. */
  request(method: string, params?: unknown, id = `r${++this.#ids}`): Promise<WireFrame> {
    const from = this.frames.length;
    const answer = this.wait((frame) => frame.type === "res" && frame.id === id, from);
    this.send({ type: "req", id, method, ...(params === undefined ? {} : { params }) });
    return answer;
  }

  /** Sends a request and waits for the answer that is not the acknowledgement. */
  async final(method: string, params: unknown, id = `r${++this.#ids}`): Promise<WireFrame> {
    const from = this.frames.length;
    this.send({ type: "req", id, method, params });
    return this.wait(
      (frame) => frame.type === "res" && frame.id === id && !(frame.ok && frame.payload?.status === "accepted"),
      from,
    );
  }

  /** Answers with the payload, throws when the answer is an error. */
  async call<T = Record<string, unknown>>(method: string, params?: unknown): Promise<T> {
    const answer = await this.request(method, params);
    if (!answer.ok) throw new Error(`${method}: ${answer.error?.code} ${answer.error?.message}`);
    return answer.payload as T;
  }

  events(name: string): WireFrame[] {
    return this.frames.filter((frame) => frame.type === "event" && frame.event === name);
  }

  /** Resolves once everything sent before has been handled: requests are answered in order of dispatch. */
  async settled(): Promise<void> {
    await this.request("health", {});
  }

  close(): Promise<Closed> {
    this.socket.close(1000);
    return this.closed;
  }

  terminate(): void {
    this.socket.terminate();
  }
}
