/** Table `heartbeat`: one row per agent, so that a restart neither repeats a beat nor an alert. */
import { createHash } from "node:crypto";
import type { Migration, Reader, Row, Tx } from "../../../store/store.ts";

export const automationMigrations: Migration[] = [
  {
    id: "automation-1",
    sql: `CREATE TABLE heartbeat (
      agent_id TEXT PRIMARY KEY,
      ran_at INTEGER NOT NULL,
      alert TEXT,
      alert_at INTEGER
    ) STRICT;`,
  },
];

/** An alert that says the same again within this time is not sent again. */
const sameAlertMs = 24 * 3_600_000;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

export function ranAt(reader: Reader, agentId: string): number | undefined {
  return reader.get<Row>("SELECT ran_at FROM heartbeat WHERE agent_id = ?", agentId)?.["ran_at"] as number | undefined;
}

export function noteRun(tx: Tx, agentId: string, now: number): void {
  tx.run(
    "INSERT INTO heartbeat (agent_id, ran_at) VALUES (?, ?) ON CONFLICT (agent_id) DO UPDATE SET ran_at = excluded.ran_at",
    agentId,
    now,
  );
}

/** Remembers the alert. False when the last one said the same a short time ago. */
export function noteAlert(tx: Tx, agentId: string, text: string, now: number): boolean {
  const row = tx.get<Row>("SELECT alert, alert_at FROM heartbeat WHERE agent_id = ?", agentId);
  const alert = digest(text);
  const at = row?.["alert_at"];
  if (row?.["alert"] === alert && typeof at === "number" && Math.abs(now - at) < sameAlertMs) return false;
  tx.run(
    `INSERT INTO heartbeat (agent_id, ran_at, alert, alert_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (agent_id) DO UPDATE SET alert = excluded.alert, alert_at = excluded.alert_at`,
    agentId,
    now,
    alert,
    now,
  );
  return true;
}
