/** Store: the one SQLite file of a profile and the lock of its state directory; the only importer of node:sqlite.
 *  `commit` resolves when the unit is on disk (`synchronous=FULL`); units run in the order of the calls, several share one
 *  transaction, one that throws rolls back alone. Reads are synchronous and never see half a unit. A full disk refuses
 *  writes with DISK_FULL, leaves reads alone and needs no restart. Rooms keep to their own tables. */
export type { CommitTimes } from "./commit-times.ts";
export { StateLockedError, StoreCorruptError, StoreFullError, StoreTooNewError } from "./errors.ts";
export { inspectStore, type StoreReport } from "./inspect.ts";
export { openStore, type OpenStoreOptions } from "./open.ts";
export type { SqliteStore } from "./sqlite-store.ts";
export { openStateLock, type StateLock } from "./state-lock.ts";
export type { Migration, Reader, Row, Store, Tx } from "./store.ts";
