/** Sessions: the conversations and their transcripts. Owns tables `session`, `transcript`, `entry`, `usage_day`, `tool_day`,
 *  `import_file`, `system_note` and the config section `session`. Writes take the caller's transaction, so a message, its run and the summary of its
 *  session change together; entries of one session are numbered without gaps and never changed. Lists and histories cost
 *  what they return, however much is stored. Knows nothing of models, runs or channels. */
export {
  importSessions,
  type AgentFolder,
  type ImportLog,
  type ImportParts,
  type SourceFile,
} from "./import-sessions.ts";
export { isCronRunKey, isSubagentKey, parentKey, splitKey } from "./keys.ts";
export type { AgentDirectory } from "./ledger.ts";
export { thinkingLevelOf } from "./patch.ts";
export { modelOf } from "./rows.ts";
export { sessionSection, type ResetPolicy, type SessionConfig } from "./sessions.config.ts";
export { sessionMethods } from "./sessions.methods.ts";
export { sessionMigrations } from "./sessions.store.ts";
export { Sessions, type SessionsOptions, type StopSession } from "./sessions.ts";
export { SystemEvents, type KeptNote, type SystemEvent } from "./system-events.ts";
export { withoutEnvelope } from "./text.ts";
export {
  exportables,
  exportTranscript,
  importTranscript,
  writtenEntry,
  type Exportable,
  type KeyHome,
  type TranscriptReport,
} from "./transfer.ts";
export type { EntryBody, SessionEntry, SessionLedger, TranscriptEntry } from "./types.ts";
