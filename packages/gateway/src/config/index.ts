/** Config: reads, judges, defaults and edits the one config file. Owns no key itself: rooms declare theirs in `*.config.ts`
 *  and the assembly passes the list. Never writes at start or reload (R-CFG-1); every writer goes through `editConfigFile` or
 *  `replaceConfigFile`, which judge first and write nothing that is invalid. */
export { applyDefaults } from "./defaults.ts";
export { documentSections } from "./document.config.ts";
export { diffConfig } from "./diff.ts";
export { editsBetween, getIn, type Edit } from "./edit.ts";
export { hashOf, historyFolder, keepInHistory, listHistory, readHistory, type HistoryEntry } from "./history.ts";
export { migrateLegacy, type Migration } from "./legacy.ts";
export { formatPath, parsePath } from "./path.ts";
export { reloadPlan, schemaAt, type ReloadPlan } from "./plan.ts";
export type { RestartAnswer, RestartPort, RestartRequest, RestartSentinel, SentinelPort } from "./ports.ts";
export { parseDocument } from "./parse.ts";
export {
  describeIssues,
  documentSchema,
  judgeText,
  readConfig,
  type ConfigSnapshot,
  type Declared,
  type Verdict,
} from "./read.ts";
export { redactedSentinel, redactRaw, redactValues, secretsOf } from "./redact.ts";
export { section, sectionOf, type ConfigSource, type Section, type SectionValue } from "./section.ts";
export { authoredSchema, hintsOf } from "./schema.ts";
export type { Issue, SchemaNode } from "./validate.ts";
export { editConfigFile, replaceConfigFile, type WriteOptions, type Written, type WriteWorld } from "./write.ts";
export { configMethods, type ConfigMethodParts } from "./config.methods.ts";
export { secretWeakness } from "./secret-strength.ts";
