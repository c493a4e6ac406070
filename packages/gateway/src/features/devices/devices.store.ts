/** Tables of the devices room and their SQL. Functions take a Reader or a Tx; units of work stand in `devices.ts`. */
import type { Migration, Reader, Tx } from "../../store/store.ts";
import { deviceImportMigration } from "./import.store.ts";
import type { DeviceRow, PairingRequest, TokenRow } from "./records.ts";

export const deviceMigrations: readonly Migration[] = [
  {
    id: "devices-1",
    sql: `
      CREATE TABLE device (
        device_id TEXT PRIMARY KEY,
        public_key TEXT NOT NULL,
        record TEXT NOT NULL,
        silent INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL,
        approved_at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX device_by_approval ON device (approved_at_ms);
      CREATE TABLE device_token (
        device_id TEXT NOT NULL REFERENCES device (device_id) ON DELETE CASCADE,
        role TEXT NOT NULL,
        token TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        rotated_at_ms INTEGER,
        revoked_at_ms INTEGER,
        last_used_at_ms INTEGER,
        PRIMARY KEY (device_id, role)
      ) STRICT;
      CREATE TABLE device_pending (
        request_id TEXT PRIMARY KEY,
        device_id TEXT NOT NULL,
        record TEXT NOT NULL,
        ts INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX device_pending_by_device ON device_pending (device_id);
      CREATE INDEX device_pending_by_ts ON device_pending (ts);
    `,
  },
  deviceImportMigration,
];

interface DeviceSql {
  device_id: string;
  public_key: string;
  record: string;
  created_at_ms: number;
  approved_at_ms: number;
}

interface TokenSql {
  role: string;
  token: string;
  scopes: string;
  created_at_ms: number;
  rotated_at_ms: number | null;
  revoked_at_ms: number | null;
  last_used_at_ms: number | null;
}

type Details = Omit<DeviceRow, "deviceId" | "publicKey" | "createdAtMs" | "approvedAtMs">;

const toDevice = (row: DeviceSql): DeviceRow => ({
  ...(JSON.parse(row.record) as Details),
  deviceId: row.device_id,
  publicKey: row.public_key,
  createdAtMs: row.created_at_ms,
  approvedAtMs: row.approved_at_ms,
});

const toToken = (row: TokenSql): TokenRow => ({
  token: row.token,
  role: row.role,
  scopes: JSON.parse(row.scopes) as string[],
  createdAtMs: row.created_at_ms,
  ...(row.rotated_at_ms === null ? {} : { rotatedAtMs: row.rotated_at_ms }),
  ...(row.revoked_at_ms === null ? {} : { revokedAtMs: row.revoked_at_ms }),
  ...(row.last_used_at_ms === null ? {} : { lastUsedAtMs: row.last_used_at_ms }),
});

export function getDevice(reader: Reader, deviceId: string): DeviceRow | undefined {
  const row = reader.get<DeviceSql>("SELECT * FROM device WHERE device_id = ?", deviceId);
  return row && toDevice(row);
}

/** Newest first, at most 256. */
export function listDevices(reader: Reader): DeviceRow[] {
  return reader.all<DeviceSql>("SELECT * FROM device ORDER BY approved_at_ms DESC LIMIT 256").map(toDevice);
}

export function countDevices(reader: Reader): number {
  return reader.get<{ n: number }>("SELECT count(*) AS n FROM device")?.n ?? 0;
}

/** The device approved longest ago without anybody having been asked. */
export function oldestSilentDevice(reader: Reader): string | undefined {
  return reader.get<{ device_id: string }>(
    "SELECT device_id FROM device WHERE silent = 1 ORDER BY approved_at_ms LIMIT 1",
  )?.device_id;
}

export function putDevice(tx: Tx, device: DeviceRow, silent: boolean): void {
  const { deviceId, publicKey, createdAtMs, approvedAtMs, ...details } = device;
  tx.run(
    `INSERT INTO device (device_id, public_key, record, silent, created_at_ms, approved_at_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (device_id) DO UPDATE SET public_key = excluded.public_key, record = excluded.record,
       silent = min(device.silent, excluded.silent), approved_at_ms = excluded.approved_at_ms`,
    deviceId,
    publicKey,
    JSON.stringify(details),
    silent ? 1 : 0,
    createdAtMs,
    approvedAtMs,
  );
}

export function deleteDevice(tx: Tx, deviceId: string): void {
  tx.run("DELETE FROM device_token WHERE device_id = ?", deviceId);
  tx.run("DELETE FROM device_pending WHERE device_id = ?", deviceId);
  tx.run("DELETE FROM device WHERE device_id = ?", deviceId);
}

export function getToken(reader: Reader, deviceId: string, role: string): TokenRow | undefined {
  const row = reader.get<TokenSql>("SELECT * FROM device_token WHERE device_id = ? AND role = ?", deviceId, role);
  return row && toToken(row);
}

export function listTokens(reader: Reader, deviceId: string): TokenRow[] {
  return reader
    .all<TokenSql>("SELECT * FROM device_token WHERE device_id = ? ORDER BY role LIMIT 16", deviceId)
    .map(toToken);
}

export function putToken(tx: Tx, deviceId: string, token: TokenRow): void {
  tx.run(
    `INSERT OR REPLACE INTO device_token
       (device_id, role, token, scopes, created_at_ms, rotated_at_ms, revoked_at_ms, last_used_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    deviceId,
    token.role,
    token.token,
    JSON.stringify(token.scopes),
    token.createdAtMs,
    token.rotatedAtMs ?? null,
    token.revokedAtMs ?? null,
    token.lastUsedAtMs ?? null,
  );
}

export function touchToken(tx: Tx, deviceId: string, role: string, now: number): void {
  tx.run("UPDATE device_token SET last_used_at_ms = ? WHERE device_id = ? AND role = ?", now, deviceId, role);
}

interface PendingSql {
  record: string;
}

const toRequest = (row: PendingSql): PairingRequest => JSON.parse(row.record) as PairingRequest;

export function getPending(reader: Reader, requestId: string, since: number): PairingRequest | undefined {
  const row = reader.get<PendingSql>(
    "SELECT record FROM device_pending WHERE request_id = ? AND ts > ?",
    requestId,
    since,
  );
  return row && toRequest(row);
}

export function pendingOf(reader: Reader, deviceId: string): PairingRequest | undefined {
  const row = reader.get<PendingSql>(
    "SELECT record FROM device_pending WHERE device_id = ? ORDER BY ts DESC LIMIT 1",
    deviceId,
  );
  return row && toRequest(row);
}

/** Newest first. */
export function listPending(reader: Reader, since: number): PairingRequest[] {
  return reader
    .all<PendingSql>("SELECT record FROM device_pending WHERE ts > ? ORDER BY ts DESC LIMIT 256", since)
    .map(toRequest);
}

export function countPending(reader: Reader): number {
  return reader.get<{ n: number }>("SELECT count(*) AS n FROM device_pending")?.n ?? 0;
}

export function putPending(tx: Tx, request: PairingRequest): void {
  tx.run(
    "INSERT OR REPLACE INTO device_pending (request_id, device_id, record, ts) VALUES (?, ?, ?, ?)",
    request.requestId,
    request.deviceId,
    JSON.stringify(request),
    request.ts,
  );
}

export function deletePending(tx: Tx, requestId: string): void {
  tx.run("DELETE FROM device_pending WHERE request_id = ?", requestId);
}

export function deletePendingOf(tx: Tx, deviceId: string): void {
  tx.run("DELETE FROM device_pending WHERE device_id = ?", deviceId);
}

export function expirePending(tx: Tx, since: number): void {
  tx.run("DELETE FROM device_pending WHERE ts <= ?", since);
}
