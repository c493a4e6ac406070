/** Automation: turns nobody typed. Heartbeats at intervals or on wake, webhooks, and single tools over HTTP. Owns the table
 *  `heartbeat` and the config sections `hooks` and `cron` (scheduled jobs come later; their keys are judged and kept).
 *
 *  Guarantees. What it starts never has the rights of the operator's own words. A heartbeat says nothing to anybody unless
 *  something is due, the same thing once a day at most, and a missed one comes once, whatever the clocks did. A webhook that was
 *  accepted is on disk; a repeated key starts no second run. Imports agents, channels, sessions and tools; knows nothing of
 *  sockets. */
export { automationMethods } from "./automation.methods.ts";
export { cronSection } from "./cron.config.ts";
export { AutomationEndings } from "./endings.ts";
export { automationMigrations } from "./heartbeat/heartbeat.store.ts";
export { Heartbeats } from "./heartbeat/heartbeats.ts";
export { Hooks } from "./hooks/hooks.ts";
export { hooksSection } from "./hooks.config.ts";
export { invokeRoute } from "./invoke/invoke.http.ts";
export type { NotePort } from "./note.ts";
