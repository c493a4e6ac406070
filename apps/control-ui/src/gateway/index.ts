/** The page's side of the control plane: one connection as signals, what is read over it, and why it is not there. Knows
 *  nothing of views. */
export { GatewayLink, type LinkOptions, type Phase } from "./link.ts";
export { Query, useQuery, type QueryOptions, type QueryState } from "./query.ts";
export { curedBySecret, isUnknownMethod, plainError, refusalOf, type Refusal, type RefusalKind } from "./refusal.ts";
export { isRecord, readJson, readText, remove, writeJson, writeText } from "./storage.ts";
