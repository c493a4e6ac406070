/** One WebSocket of a client: handshake, stanzas in order, and its end. */
import { Buffer } from "node:buffer";
import { decodeBinaryNode, encodeBinaryNode } from "baileys";
import type { proto } from "baileys";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Connection } from "./api.ts";
import type { Companion } from "./companion.ts";
import type { FaultState } from "./faults.ts";
import type { BinaryNode } from "./node.ts";
import type { Trust } from "./noise.ts";
import { frame, FrameReader, NoiseServer } from "./noise.ts";
import type { Records } from "./record.ts";

export interface SessionDeps {
  trust: Trust;
  faults: FaultState;
  record: Records;
  /** The handshake is over. */
  admit(session: Session, payload: proto.ClientPayload): Promise<void>;
  /** One stanza, in order; the next waits until it resolves. */
  receive(session: Session, node: BinaryNode): Promise<void>;
  closed(session: Session): void;
}

export class Session {
  /** The client's static key. */
  noiseKey: Buffer = Buffer.alloc(0);
  /** Set by the login. */
  companion: Companion | undefined;
  /** Pings are answered and nothing else. */
  pingsOnly = false;
  readonly connection: Connection;
  private readonly noise = new NoiseServer();
  private readonly reader = new FrameReader();
  private readonly socket: WebSocket;
  private readonly tcp: Socket;
  private readonly deps: SessionDeps;
  private greeted = false;
  private silent = false;
  private ended = false;
  private work: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket, tcp: Socket, deps: SessionDeps) {
    this.socket = socket;
    this.tcp = tcp;
    this.deps = deps;
    const { connections } = deps.record;
    this.connection = { number: connections.length + 1, openedAt: Date.now(), state: "connected" };
    connections.push(this.connection);
    socket.on("message", (data: Buffer) => this.read(data));
    // A reset socket also closes; nothing is left to do for the error itself.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.ended = true;
      this.connection.closedAt = Date.now();
      deps.closed(this);
      deps.record.changed();
    });
  }

  /** False when the connection is over. What was written is not surely received. */
  send(node: BinaryNode): boolean {
    if (this.ended || this.silent || !this.noise.established) return false;
    this.socket.send(frame(this.noise.encrypt(encodeBinaryNode(node))));
    return true;
  }

  /** A last stanza, and the close. */
  end(last?: BinaryNode): void {
    if (last) this.send(last);
    this.close();
  }

  close(): void {
    this.ended = true;
    this.socket.close();
  }

  /** TCP reset, as when a network goes away. */
  reset(): void {
    this.ended = true;
    this.tcp.resetAndDestroy();
  }

  /** Hears and says nothing while on. */
  silence(on: boolean): void {
    this.silent = on;
  }

  private read(data: Buffer): void {
    let frames: Buffer[];
    try {
      frames = this.reader.push(data);
    } catch {
      // Not WhatsApp: the real server hangs up as well.
      return this.reset();
    }
    for (const one of frames) {
      this.work = this.work
        .then(() => this.frame(one))
        .catch((error: unknown) => {
          this.deps.record.unknown.push(`failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
          this.deps.record.changed();
          this.reset();
        });
    }
  }

  private async frame(data: Buffer): Promise<void> {
    if (this.ended || this.silent) return;
    if (this.noise.established) return this.deps.receive(this, await decodeBinaryNode(this.noise.decrypt(data)));
    if (!this.greeted) {
      this.greeted = true;
      if (this.deps.faults.take("stallHandshake") !== undefined) return this.silence(true);
      const { trust } = this.deps;
      const chain = this.deps.faults.take("badCertificate") === undefined ? trust.chain : trust.forged;
      return this.socket.send(frame(this.noise.hello(data, trust.staticKey, chain)));
    }
    const { staticKey, payload } = this.noise.finish(data);
    this.noiseKey = staticKey;
    const version = payload.userAgent?.appVersion;
    if (version) this.connection.version = [version.primary, version.secondary, version.tertiary].join(".");
    this.connection.passive = payload.passive ?? false;
    await this.deps.admit(this, payload);
    this.deps.record.changed();
  }
}
