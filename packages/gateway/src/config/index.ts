/** Config: reads, judges, defaults and edits the one config file. Owns no key itself: rooms declare theirs in `*.config.ts`
 *  and the assembly passes the list. Never writes at start or reload (R-CFG-1). */
export { applyDefaults } from "./defaults.ts";
export { describeIssues, documentSchema, parseDocument, readConfig, type ConfigSnapshot, type Declared, type Verdict } from "./read.ts";
export { redactedSentinel, redactRaw, redactValues, secretsOf } from "./redact.ts";
export { section, type ConfigSource, type Section, type SectionValue } from "./section.ts";
export type { Issue, SchemaNode } from "./validate.ts";
export { editConfigFile, type Edit } from "./write.ts";
export { configMethods } from "./config.methods.ts";
