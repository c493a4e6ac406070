/** A client with as little of its own cost as possible, so that what is measured is the other end. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";

export interface Device {
  id: string;
  publicKey: string;
  privateKey: KeyObject;
}

export function createDevice(): Device {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return { id: createHash("sha256").update(raw).digest("hex"), publicKey: raw.toString("base64url"), privateKey };
}

const scopes = ["operator.admin"];
const client = { id: "cli", version: "0.0.0", platform: "linux", mode: "cli" };

const idAt = '{"type":"res","id":"'.length;

export interface Answer {
  ok: boolean;
  payload?: Record<string, unknown>;
  error?: { code: string; message: string };
}

export class Wire {
  readonly socket: WebSocket;
  /** Set to see every event as text. */
  onEvent: ((text: string) => void) | undefined;
  #next = 0;
  #waiting = new Map<string, (text: string) => void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
  }

  /** Resolves after hello-ok. */
  static async connect(url: string, token: string, device?: Device): Promise<Wire> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const wire = new Wire(socket);
    const challenged = new Promise<string>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("close", (code, reason) => reject(new Error(`closed ${code} ${reason.toString()}`)));
      socket.on("message", (data: Buffer) => wire.#receive(data.toString(), resolve));
    });
    const nonce = await challenged;
    const auth = { token };
    const params = { minProtocol: 3, maxProtocol: 3, client, role: "operator", scopes, caps: [], auth };
    const answer = await wire.call("connect", device ? { ...params, device: signed(device, token, nonce) } : params);
    if (!answer.ok) throw new Error(`connect: ${answer.error?.message}`);
    return wire;
  }

  #receive(text: string, challenged: (nonce: string) => void): void {
    // Both ends write the type first and the id second; events carry no id.
    if (text.startsWith('{"type":"res"')) {
      const id = text.slice(idAt, text.indexOf('"', idAt));
      const resolve = this.#waiting.get(id);
      this.#waiting.delete(id);
      resolve?.(text);
    } else if (text.includes('"connect.challenge"')) {
      challenged((JSON.parse(text) as { payload: { nonce: string } }).payload.nonce);
    } else this.onEvent?.(text);
  }

  /** The answer as text, unparsed. */
  raw(method: string, params: unknown): Promise<string> {
    const id = `b${this.#next++}`;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.socket.send(`{"type":"req","id":"${id}","method":"${method}","params":${JSON.stringify(params)}}`);
    });
  }

  async call(method: string, params: unknown): Promise<Answer> {
    return JSON.parse(await this.raw(method, params)) as Answer;
  }

  /** As `call`, and throws when the answer is an error. */
  async need(method: string, params: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, params);
    if (!answer.ok) throw new Error(`${method}: ${answer.error?.message}`);
    return answer.payload ?? {};
  }

  /** Resolves to the next answer under the id of a two-answer call after its first. */
  async final(method: string, params: unknown): Promise<Answer> {
    const id = `b${this.#next}`;
    const first = JSON.parse(await this.raw(method, params)) as Answer;
    if (!first.ok) return first;
    return JSON.parse(await new Promise<string>((resolve) => this.#waiting.set(id, resolve))) as Answer;
  }

  async close(): Promise<void> {
    const closed = once(this.socket, "close");
    this.socket.close();
    await closed;
  }
}

function signed(device: Device, token: string, nonce: string): Record<string, unknown> {
  const signedAt = Date.now();
  const payload = ["v2", device.id, client.id, client.mode, "operator", scopes.join(","), signedAt, token, nonce].join(
    "|",
  );
  const signature = sign(null, Buffer.from(payload), device.privateKey).toString("base64url");
  return { id: device.id, publicKey: device.publicKey, signature, signedAt, nonce };
}
