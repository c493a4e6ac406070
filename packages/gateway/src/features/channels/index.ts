/** Channels: chat platforms, their accounts, and which agent answers whom. So far only their config keys, judged and kept;
 *  nothing reads them yet. */
export { channelsSection, webSection, type ChannelsConfig, type WebConfig } from "./channels.config.ts";
export { bindingsSection, broadcastSection } from "./routing.config.ts";
