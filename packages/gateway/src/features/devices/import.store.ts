/** Tables of the import: `device_import`, which remembers what was taken, and `node_pairing`. */
import type { Migration, Reader, Tx } from "../../store/store.ts";

export const deviceImportMigration: Migration = {
  id: "devices-2",
  additive: true,
  sql: `
    -- Devices and nodes taken from an older installation, also when they are gone since.
    CREATE TABLE device_import (
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    -- The older node store, kept as it was for the room that will speak node.pair.*.
    CREATE TABLE node_pairing (
      node_id TEXT PRIMARY KEY,
      record TEXT NOT NULL,
      approved_at_ms INTEGER NOT NULL
    ) STRICT;`,
};

export const wasImported = (reader: Reader, kind: string, id: string): boolean =>
  reader.get("SELECT 1 FROM device_import WHERE kind = ? AND id = ?", kind, id) !== undefined;

export const markImported = (tx: Tx, kind: string, id: string, at: number): void =>
  void tx.run("INSERT INTO device_import (kind, id, at) VALUES (?, ?, ?)", kind, id, at);

export const countNodes = (reader: Reader): number =>
  reader.get<{ n: number }>("SELECT count(*) AS n FROM node_pairing")?.n ?? 0;

export function keepNode(tx: Tx, nodeId: string, record: string, approvedAtMs: number): void {
  tx.run(
    "INSERT INTO node_pairing (node_id, record, approved_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    nodeId,
    record,
    approvedAtMs,
  );
}
