/** The `call` a handler gets, one per request. Everything costly is made when it is asked for. */
import { GatewayError } from "@openclaw/protocol";
import type { Call, Identity } from "../kernel/call.ts";
import type { Logger } from "../kernel/log.ts";
import type { Connection, OpenCall } from "./connection.ts";
import type { MethodEntry } from "./methods.ts";

export interface CallOwner {
  readonly log: Logger;
  followRun(connection: Connection, runId: string): void;
}

export class RequestCall implements Call, OpenCall {
  readonly connection: Connection;
  readonly identity: Identity;
  readonly requestId: string;
  readonly entry: MethodEntry;
  readonly startedAt: number;
  acked = false;
  settled = false;
  /** Whether the ledger of the connection counts this call now. */
  counted = false;
  readonly #owner: CallOwner;
  #controller: AbortController | undefined;
  #aborted = false;

  constructor(
    connection: Connection,
    identity: Identity,
    requestId: string,
    entry: MethodEntry,
    startedAt: number,
    owner: CallOwner,
  ) {
    this.connection = connection;
    this.identity = identity;
    this.requestId = requestId;
    this.entry = entry;
    this.startedAt = startedAt;
    this.#owner = owner;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  get log(): Logger {
    return this.#owner.log.child(this.entry.name);
  }

  ack(payload: unknown): void {
    if (this.acked || this.settled) throw new GatewayError("conflict", `${this.entry.name} was acknowledged twice`);
    this.acked = true;
    if (this.counted && !this.entry.longWait) {
      this.connection.inFlight--;
      this.connection.longWaits++;
    }
    this.connection.answer(this.requestId, payload);
  }

  followRun(runId: string): void {
    this.#owner.followRun(this.connection, runId);
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  /** Enters the connection's ledger; left again by `leave`. */
  enter(): void {
    this.counted = true;
    this.connection.calls.add(this);
    if (this.entry.longWait || this.acked) this.connection.longWaits++;
    else this.connection.inFlight++;
  }

  leave(): void {
    if (!this.counted) return;
    this.counted = false;
    this.connection.calls.delete(this);
    if (this.entry.longWait || this.acked) this.connection.longWaits--;
    else this.connection.inFlight--;
  }
}
