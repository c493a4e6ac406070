/** Status: health, short status, usage and the log tail. Owns no table; reads the sources the assembly hands over and never
 *  guesses: what is not known is left out. */
export { Health } from "./health.ts";
export { LogTail } from "./logs.ts";
export { loggingSection, type LoggingConfig } from "./logging.config.ts";
export { statusMethods } from "./status.methods.ts";
export type { StatusSources } from "./sources.ts";
