/** Server: the port, the sockets and plain HTTP. Owns framing, handshake, authorisation, dispatch and fan-out.
 *  Guarantees: the challenge is the first frame; checks run in the order of protocol.md §4.3; every request gets exactly one
 *  final answer or its socket closes; event numbers of a connection are contiguous except for counted drops; one slow or
 *  hostile client never delays another; every queue, wait and map has a bound. Knows no feature: it receives tables. */
export { ListenError, Listener, listenerLimits, type ListenOptions, type Router } from "./listener.ts";
export { Server, type ServerParts } from "./server.ts";
export { sendJson, sendText, refuseUpgrade } from "./http-reply.ts";
export type { SocketTaker } from "./entry.ts";
export type { Judged, Route, RouteContext } from "./http.ts";
export { type Metric, metricsRoutes } from "./metrics.ts";
export type { ServerInfo } from "./hello.ts";
export { controlUiRoutes, noControlUiRoutes, type Avatar, type ControlUiParts } from "./control-ui.ts";
export { contentType } from "./static-files.ts";
export { rawPath } from "./target.ts";
export type { Outcome, OutcomePort } from "./idempotency.ts";
export type { Phase } from "./probes.ts";
export { bearerValid, judgeSharedSecret, secretEquals, type AuthReason, type Credentials } from "./auth.ts";
export { isLoopbackAddress, isLoopbackName, locate, type Location } from "./locality.ts";
export { parseFrame, type ParsedFrame } from "./frame.ts";
export type { TailnetPort } from "./tailnet.ts";
export { deviceIdOf, rawPublicKey, signedPayload } from "./signature.ts";
export type {
  AuthSettings,
  DevicePort,
  DeviceToken,
  HandlerTable,
  PairingVerdict,
  PresencePort,
  PresentedDevice,
  ServerSettings,
  SnapshotPort,
} from "./ports.ts";
