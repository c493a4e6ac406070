/** Channels: the chat platforms, the accounts on them, and every message that comes in or goes out. Owns the tables `inbound`,
 *  `channel_cursor`, `channel_count`, `outbox`, `pairing_*` and `whatsapp_auth`, and the config sections `channels`, `web`,
 *  `bindings` and `broadcast`.
 *
 *  Guarantees. A message is on disk before its platform is acknowledged, is handled once, and ends in exactly one of a reply, a
 *  stated silence, a notice or a report. A message that leaves has a row first; what the platform cannot deduplicate is never
 *  sent twice, and a fate that is unknown is said to be. A stranger's message reaches no model, no command and no tool. One
 *  connection per account; no fault of a channel ends the process or delays another. Without a configured channel no adapter is
 *  loaded. Imports agents, sessions and tools; knows nothing of sockets. */
export type { AccountRunner } from "./accounts/runner.ts";
export { channelRows, escapedFrom } from "./catalogue.ts";
export { ChannelService } from "./channel-service.ts";
export { channelsSection, webSection, type ChannelsConfig, type WebConfig } from "./channels.config.ts";
export type { MenuCommand } from "./channel.ts";
export { channelMethods } from "./channels.methods.ts";
export { channelMigrations } from "./channels.store.ts";
export { Channels } from "./channels.ts";
export { ConnectionNotes } from "./connection-notes.ts";
export { Inbox, Outbox } from "./ledger/index.ts";
export { MediaSource } from "./media-source.ts";
export { MediaStore } from "./media-store.ts";
export { messageTool } from "./message.tool.ts";
export { mirror } from "./mirror.ts";
export type { EditList } from "./pipeline/allowlist.ts";
export { letsIn } from "./pipeline/access.ts";
export { Echoes } from "./pipeline/echoes.ts";
export { groupTools } from "./pipeline/group-tools.ts";
export { Pairing } from "./pipeline/pairing.ts";
export { Pipeline } from "./pipeline/pipeline.ts";
export { Replies } from "./pipeline/replies.ts";
export { replyRoutes } from "./pipeline/reply-routes.ts";
export { routeOf } from "./pipeline/routing.ts";
export { bindingsSection, broadcastSection } from "./routing.config.ts";
export { Sends } from "./sends.ts";
