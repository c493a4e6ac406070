/** The types that callers and handlers see, taken from the schemas. Types only: nothing here exists at run time. */
import type { AckOf, ParamsOf, PayloadOf, ResultOf } from "./define.ts";
import type { methodTable } from "../generated/table.ts";
import type { Message } from "./message.ts";
import type { EventName, EventNamed, MethodName, MethodNamed } from "./schema.ts";

export type { EventName, MethodName } from "./schema.ts";

/** What is sent: optional fields may be written as `undefined`, which JSON leaves out. */
export type Sent<T> = T extends Message
  ? T
  : T extends readonly (infer Item)[]
    ? Sent<Item>[]
    : T extends object
      ? { [K in keyof T]: string extends K ? Sent<T[K]> : {} extends Pick<T, K> ? Sent<T[K]> | undefined : Sent<T[K]> }
      : T;

/** Validated params of a method. */
export type MethodParams<N extends MethodName> = ParamsOf<MethodNamed<N>>;
/** Payload of the answer, of the second one where there are two. */
export type MethodResult<N extends MethodName> = Sent<ResultOf<MethodNamed<N>>>;
/** Payload of the first of two answers. */
export type MethodAck<N extends MethodName> = Sent<AckOf<MethodNamed<N>>>;
export type EventPayload<N extends EventName> = Sent<PayloadOf<EventNamed<N>>>;

/** Methods that need a handler: all that are not planned, without `connect`, which the handshake answers. */
export type BuiltMethodName = Exclude<
  { [N in MethodName]: (typeof methodTable)[N]["planned"] extends true ? never : N }[MethodName],
  "connect"
>;
