/** Automation: scheduled jobs and webhooks. So far only their config keys, judged and kept; nothing reads them yet. */
export { cronSection } from "./cron.config.ts";
export { hooksSection } from "./hooks.config.ts";
