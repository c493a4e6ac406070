/** From the bus to the sockets: each event is encoded once, filtered by audience, and numbered per connection
 *  (protocol.md §11, R-WS-1). A connection that cannot keep up loses droppable events or itself, never others' time. */
import { eventRow, type EventName, type EventPayload, type StateVersion } from "@openclaw/protocol";
import type { Announcement, ToolDetail } from "../kernel/bus.ts";
import type { World } from "../kernel/world.ts";
import { audienceOf, hears } from "./audience.ts";
import { ChatDeltas, type ChatDelta } from "./chat-delta.ts";
import type { Connection } from "./connection.ts";
import { RunFollowers } from "./run-followers.ts";
import type { Outgoing } from "./writer.ts";

/** While one of these waits for a slow client, the next one takes its place. */
const coalesced: ReadonlySet<string> = new Set(["presence", "health", "tick"]);
const maxRememberedRuns = 256;
const endOfTail = Buffer.from("}");

export class Fanout {
  readonly #stateVersion: () => StateVersion;
  readonly #members = new Map<Connection, number>();
  readonly #byId = new Map<string, Connection>();
  readonly #followers: RunFollowers;
  readonly #chat: ChatDeltas;

  constructor(world: World, stateVersion: () => StateVersion) {
    this.#stateVersion = stateVersion;
    this.#followers = new RunFollowers(world);
    this.#chat = new ChatDeltas((payload) => this.#encode("chat", payload));
  }

  /** From now on the connection hears events. Called in the tick in which hello-ok was written (R-WS-3). */
  join(connection: Connection): void {
    const { identity } = connection;
    if (!identity) return;
    this.#members.set(connection, hears(identity));
    this.#byId.set(connection.connId, connection);
  }

  leave(connection: Connection): void {
    if (!this.#members.delete(connection)) return;
    this.#byId.delete(connection.connId);
    this.#followers.left(connection);
  }

  follow(connection: Connection, runId: string): void {
    this.#followers.follow(connection, runId);
  }

  sweep(): void {
    this.#followers.sweep();
  }

  /** One event of the bus. */
  announce({ event, payload, routing }: Announcement): void {
    if (routing.connIds) return this.#toNamed(event, payload, routing.connIds);
    if (event === "agent") return this.#agent(payload as EventPayload<"agent">, routing.toolDetail);
    if (event === "chat") return this.#chatEvent(payload as EventPayload<"chat">, routing.since);
    if (event === "presence") return this.#presence(payload as EventPayload<"presence">);
    this.#broadcast(event, payload);
  }

  #encode(event: EventName, payload: unknown): Pick<Outgoing, "head" | "tail"> {
    const body = JSON.stringify(payload);
    const head = Buffer.from(`{"type":"event","event":"${event}"${body === undefined ? "" : `,"payload":${body}`}`);
    if (!eventRow(event)?.stateVersion) return { head, tail: endOfTail };
    return { head, tail: Buffer.from(`,"stateVersion":${JSON.stringify(this.#stateVersion())}}`) };
  }

  #outgoing(event: EventName, payload: unknown): Outgoing {
    return {
      ...this.#encode(event, payload),
      droppable: eventRow(event)?.whenSlow === "drop",
      ...(coalesced.has(event) ? { coalesce: event } : {}),
    };
  }

  #broadcast(event: EventName, payload: unknown): void {
    const audience = audienceOf(event);
    let out: Outgoing | undefined;
    for (const [connection, mask] of this.#members) {
      if ((mask & audience) !== 0) connection.deliver((out ??= this.#outgoing(event, payload)), true);
    }
  }

  #toNamed(event: EventName, payload: unknown, connIds: readonly string[]): void {
    const out = this.#outgoing(event, payload);
    for (const connId of connIds) this.#byId.get(connId)?.deliver(out, false);
  }

  #agent(payload: EventPayload<"agent">, detail: ToolDetail | undefined): void {
    if (payload.stream === "tool") return this.#tool(payload, detail ?? "off");
    const phase = payload.stream === "lifecycle" ? payload.data["phase"] : undefined;
    this.#broadcast("agent", payload);
    if (phase === "end" || phase === "error") this.#followers.ended(payload.runId);
  }

  /** Tool events are targeted: no number, cut to the detail that the session allows. Cap `tool-results` lifts the cut. */
  #tool(payload: EventPayload<"agent">, detail: ToolDetail): void {
    const followers = this.#followers.of(payload.runId);
    if (!followers || followers.size === 0) return;
    let full: Outgoing | undefined;
    let cut: Outgoing | undefined;
    for (const connection of followers) {
      if (detail === "full" || connection.identity?.caps.includes("tool-results")) {
        connection.deliver((full ??= this.#outgoing("agent", payload)), false);
      } else if (detail === "on") {
        connection.deliver((cut ??= this.#outgoing("agent", withoutResults(payload))), false);
      }
    }
  }

  #chatEvent(payload: EventPayload<"chat">, since: 4 | undefined): void {
    if (payload.state === "status") return this.#statusOfRun(payload);
    if (payload.state !== "delta") {
      this.#broadcast("chat", payload);
      this.#chat.ended(payload.runId);
      for (const connection of this.#members.keys()) connection.chatDeltas.delete(payload.runId);
      return;
    }
    const delta = this.#chat.delta(payload);
    const audience = audienceOf("chat");
    for (const [connection, mask] of this.#members) {
      if ((mask & audience) === 0 || (since === 4 && connection.identity?.protocol !== 4)) continue;
      this.#sendDelta(connection, delta);
    }
  }

  #sendDelta(connection: Connection, delta: ChatDelta): void {
    const { chatDeltas } = connection;
    // A first delta continues from nothing, which everybody has.
    const inStep = delta.count === 1 || chatDeltas.get(delta.runId) === delta.count - 1;
    const delivery = connection.deliver(inStep ? delta.next() : delta.whole(), true);
    chatDeltas.delete(delta.runId);
    if (delivery !== "sent") return;
    chatDeltas.set(delta.runId, delta.count);
    // A run without an end would stay for ever; forgetting one only costs a `replace`.
    const oldest = chatDeltas.size > maxRememberedRuns ? chatDeltas.keys().next().value : undefined;
    if (oldest !== undefined) chatDeltas.delete(oldest);
  }

  /** A state that clients of protocol 3 do not know. */
  #statusOfRun(payload: EventPayload<"chat">): void {
    const audience = audienceOf("chat");
    const out = this.#outgoing("chat", payload);
    for (const [connection, mask] of this.#members) {
      if ((mask & audience) !== 0 && connection.identity?.protocol === 4) connection.deliver(out, true);
    }
  }

  /** Clients with cap `presence-delta` get the change only (settled.md 2). Changes add up, so they never replace each other. */
  #presence(payload: EventPayload<"presence">): void {
    const audience = audienceOf("presence");
    let whole: Outgoing | undefined;
    let change: Outgoing | undefined;
    for (const [connection, mask] of this.#members) {
      if ((mask & audience) === 0) continue;
      if (payload.delta !== undefined && connection.identity?.caps.includes("presence-delta")) {
        change ??= { ...this.#encode("presence", { delta: payload.delta }), droppable: true };
        connection.deliver(change, true);
      } else connection.deliver((whole ??= this.#outgoing("presence", payload)), true);
    }
  }
}

function withoutResults(payload: EventPayload<"agent">): unknown {
  const { result: _result, partialResult: _partialResult, ...data } = payload.data;
  return { ...payload, data };
}
