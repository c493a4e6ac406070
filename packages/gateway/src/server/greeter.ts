/** Frames before hello-ok: the first must be `connect`, the rest waits (protocol.md §4.1, rows 1 to 4 of §4.3). */
import { closeRules, wireLimits } from "@openclaw/protocol";
import type { Logger } from "../kernel/log.ts";
import type { World } from "../kernel/world.ts";
import type { Connection } from "./connection.ts";
import { parseFrame } from "./frame.ts";
import type { Admission, Handshake } from "./handshake.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { invalid, type Refusal } from "./refusals.ts";
import { checkConnect } from "./validate.ts";
import { failureOf } from "./wire-error.ts";

export interface GreeterParts {
  world: World;
  log: Logger;
  refusals: RefusalLog;
  handshake: Handshake;
  /** The handshake succeeded: writes hello-ok and begins the subscription. */
  admit(connection: Connection, id: string, admission: Admission): void;
  /** A frame that waited; called in order after `admit`. */
  held(connection: Connection, bytes: Buffer): void;
}

export class Greeter {
  readonly #parts: GreeterParts;

  constructor(parts: GreeterParts) {
    this.#parts = parts;
  }

  /** One message of a connection that is not open yet. Never throws. */
  frame(connection: Connection, bytes: Buffer): void {
    connection.entrance.place.spoke();
    if (connection.state === "checking") {
      if (connection.held.length >= wireLimits.maxPendingHandshakeFrames) connection.close(closeRules.pendingHandshake);
      else connection.held.push(bytes);
      return;
    }
    if (connection.state !== "challenged") return;
    const parsed = parseFrame(bytes);
    if (parsed.kind === "malformed") return connection.close(closeRules.malformed);
    if (parsed.kind === "invalid") return connection.close(closeRules.invalidFrame);
    const { id, method, params } = parsed.frame;
    if (method !== "connect") {
      return this.#refuse(
        connection,
        id,
        invalid("invalid handshake: first request must be connect", "first-request"),
        undefined,
      );
    }
    const checked = checkConnect(params ?? {});
    if ("fault" in checked) {
      return this.#refuse(
        connection,
        id,
        invalid(`invalid connect params: ${checked.fault}`, "invalid-params"),
        undefined,
      );
    }
    connection.state = "checking";
    void this.#check(connection, id, checked.params);
  }

  async #check(connection: Connection, id: string, params: Parameters<Handshake["judge"]>[0]["params"]): Promise<void> {
    const { connId, nonce, entrance } = connection;
    const client = `${params.client.id}/${params.client.mode}/${params.client.version.slice(0, 80)}`;
    try {
      const verdict = await this.#parts.handshake.judge({ connId, nonce, entrance, params });
      if (connection.state !== "checking") return;
      if ("refused" in verdict) return this.#refuse(connection, id, verdict.refused, client);
      this.#parts.admit(connection, id, verdict.admitted);
    } catch (error) {
      if (connection.state !== "checking" && connection.state !== "open") return;
      const { error: wire } = failureOf(error, 3, "connect", this.#parts.world, this.#parts.log);
      return this.#refuse(connection, id, { error: wire, close: closeRules.malformed, reason: "internal" }, client);
    }
    for (const bytes of connection.held.splice(0)) this.#parts.held(connection, bytes);
  }

  #refuse(connection: Connection, id: string, refused: Refusal, client: string | undefined): void {
    const { world, refusals } = this.#parts;
    const { location } = connection.entrance;
    refusals.warn(
      `unauthorized conn=${connection.connId} remote=${location.clientIp} client=${client ?? "unknown"} reason=${refused.reason}`,
    );
    const answer = () => {
      connection.fail(id, refused.error);
      connection.close(refused.close);
    };
    if (refused.delayMs === undefined) answer();
    else world.after(refused.delayMs, answer);
  }
}
