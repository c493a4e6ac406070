/** The wire contract: names, types, tables, errors, limits. Free of TypeBox and AJV at run time, so that client, CLI and
 *  browser may import it. Schemas stand behind `@openclaw/protocol/schema`, validators behind `@openclaw/protocol/validators`. */
export type {
  BuiltMethodName,
  EventName,
  EventPayload,
  MethodAck,
  MethodName,
  MethodParams,
  MethodResult,
  Sent,
} from "./contract.ts";
export type { DuplicateRule, EventAudience, MethodScope, WhenSlow } from "./define.ts";
export * from "./errors.ts";
export * from "./frames.ts";
export * from "./message.ts";
export * from "./scopes.ts";
export * from "./table.ts";
