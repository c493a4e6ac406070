/** Client of the OpenClaw Gateway, for Node and browsers, without dependencies.
 *  Owns one logical connection: handshake with optional device identity, typed calls, events, reconnecting.
 *  Guarantees: every call settles by its deadline; a call that was sent is rejected when its socket ends; calls open and bytes
 *  waiting are bounded; one attempt to connect at a time, never within 15 s of a refusal; events of one socket arrive in
 *  order, and a loss is announced by `onGap`. Node programs find a lighter transport and a key file in `@openclaw/client/node`. */
export { GatewayClient } from "./client.ts";
export type { ClientState, Gap, GatewayClientOptions, StateChange } from "./client.ts";
export type { CallOptions } from "./calls.ts";
export { systemClock } from "./clock.ts";
export type { ClientClock } from "./clock.ts";
export type { ClientDescription, Credentials, IdentitySource } from "./connection.ts";
export { devicePayload, fromBase64Url, toBase64Url, webIdentity } from "./device.ts";
export type { DeviceIdentity, DeviceToken, DeviceTokens, SignedFields, StoredWebKey, WebKeyStore } from "./device.ts";
export { ClosedError, closeName, DeadlineError, NotSentError, RequestError } from "./errors.ts";
export type { Hello } from "./hello.ts";
export { createIdempotencyKey } from "./idempotency.ts";
export { webSocket } from "./socket.ts";
export type { OpenSocket, Socket, SocketEvents } from "./socket.ts";
