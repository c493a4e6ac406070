/** How a method or an event is declared: once, in `spaces/<namespace>.ts`. Everything else (dispatch table, validators,
 *  schema, Swift models, reference page, typed client) is derived from these values by `npm run protocol:gen`. */
import type { Static, TSchema } from "typebox";
import type { Scope } from "./scopes.ts";

/** Who may call. `none`: any authenticated role. `node`: only connections with role node. Otherwise an operator scope. */
export type MethodScope = "none" | "node" | Scope;

/** What a repeated call with the same idempotency key does at dispatch. `replay`: the stored answer. `join`: waits for the
 *  call in progress. `none`: dispatch does nothing; the room owns the rule (`agent`, `chat.send`: their run row decides). */
export type DuplicateRule = "replay" | "join" | "none";

export interface MethodDefinition<
  Name extends string = string,
  Params extends TSchema = TSchema,
  Result extends TSchema = TSchema,
  Ack extends TSchema = TSchema,
> {
  name: Name;
  scope: MethodScope;
  /** One plain sentence for the reference page. */
  summary: string;
  params: Params;
  result: Result;
  /** Payload of the first of two answers (`agent`). */
  ack?: Ack;
  /** Params must carry `idempotencyKey`. */
  idempotent?: boolean;
  /** Declared, not built: not advertised, answers "unknown method", needs no handler (settled.md 19). */
  planned?: boolean;
  /** Listed in `hello-ok.features.methods`. Default true unless planned. */
  advertise?: boolean;
  /** First protocol version whose clients know it. Default 3. */
  since?: 3 | 4;
  /** Answered while the gateway is still starting. */
  duringStartup?: boolean;
  /** At most `calls` per `perMs` per device and address. */
  rate?: { calls: number; perMs: number };
  duplicate?: DuplicateRule;
  /** Runs before admission (in-flight limits, draining): aborts and stops. */
  bypass?: boolean;
}

/** What a connection that cannot take more bytes does with this event. */
export type WhenSlow = "drop" | "close";

/** Who receives a broadcast of this event. `all`: every connection. `reader`: operators with read, write or admin.
 *  `approvals`, `pairing`: operators holding that scope (or admin). `targeted`: only connections named by the publisher. */
export type EventAudience = "all" | "reader" | "approvals" | "pairing" | "targeted";

export interface EventDefinition<Name extends string = string, Payload extends TSchema = TSchema> {
  name: Name;
  audience: EventAudience;
  whenSlow: WhenSlow;
  /** Carries `stateVersion`. */
  stateVersion?: boolean;
  payload: Payload;
  summary: string;
  planned?: boolean;
}

export const method = <const N extends string, P extends TSchema, R extends TSchema, A extends TSchema>(
  definition: MethodDefinition<N, P, R, A>,
): MethodDefinition<N, P, R, A> => definition;

export const event = <const N extends string, P extends TSchema>(
  definition: EventDefinition<N, P>,
): EventDefinition<N, P> => definition;

export type ParamsOf<M> = M extends MethodDefinition<string, infer P, TSchema, TSchema> ? Static<P> : never;
export type ResultOf<M> = M extends MethodDefinition<string, TSchema, infer R, TSchema> ? Static<R> : never;
export type AckOf<M> = M extends MethodDefinition<string, TSchema, TSchema, infer A> ? Static<A> : never;
export type PayloadOf<E> = E extends EventDefinition<string, infer P> ? Static<P> : never;
