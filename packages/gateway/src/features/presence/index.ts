/** Presence: who is here now. Owns a list in memory, nothing on disk. Guarantees: at most 200 entries are shown, the gateway
 *  itself first; entries of live connections stay, others expire after 5 minutes; `presence` is announced at most four times
 *  a second with the whole list and the change. Knows nothing of sockets. */
export { Presence, presenceLimits, type PresenceParts } from "./presence.ts";
export { presenceMethods } from "./presence.methods.ts";
export type { PresenceEntry } from "./entry.ts";
