/** State directories as OpenClaw 2026.2 left them, and what tests ask about folders and stores. */
import { createHash } from "node:crypto";
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Device } from "./wire.ts";

const fixture = join(import.meta.dirname, "..", "fixtures", "state-2026.2");

/** The recorded one, without its config: the test's own stays. */
export function copyRecordedState(to: string): void {
  cpSync(fixture, to, { recursive: true, filter: (path) => !path.endsWith("openclaw.json") });
}

export interface MadeState {
  sessions: number;
  /** Messages of each; the first session gets a hundred times as many. */
  messages?: number;
}

/** Deterministic: the same options give the same bytes. */
export function makeOldState(to: string, { sessions, messages = 6 }: MadeState): void {
  const folder = join(to, "agents", "main", "sessions");
  mkdirSync(folder, { recursive: true });
  const index: Record<string, unknown> = {};
  for (let i = 0; i < sessions; i++) {
    const sessionId = createHash("sha256").update(`session ${i}`).digest("hex").slice(0, 32);
    const at = 1_765_000_000_000 + i * 60_000;
    index[i === 0 ? "agent:main:main" : `agent:main:telegram:dm:${i}`] = {
      sessionId,
      updatedAt: at + 30_000,
      label: i % 50 === 1 ? `Label ${i}` : undefined,
      deliveryContext: { channel: "telegram", to: String(i) },
      totalTokens: i,
      skillsSnapshot: { prompt: "x".repeat(4_000) },
    };
    writeFileSync(join(folder, `${sessionId}.jsonl`), transcript(sessionId, at, i === 0 ? messages * 100 : messages));
  }
  writeFileSync(join(folder, "sessions.json"), JSON.stringify(index, null, 2));
}

function transcript(sessionId: string, at: number, messages: number): string {
  const time = (offset: number) => new Date(at + offset).toISOString();
  const lines: unknown[] = [{ type: "session", version: 3, id: sessionId, timestamp: time(0), cwd: "/home/user" }];
  for (let i = 0; i < messages; i++) {
    const content = [{ type: "text", text: `${i % 2 ? "Answer" : "Question"} ${i} `.padEnd(400, "lorem ipsum ") }];
    const message =
      i % 2
        ? {
            role: "assistant",
            content,
            api: "x",
            provider: "mock",
            model: "m",
            usage: usage(i),
            stopReason: "stop",
            timestamp: at + i,
          }
        : { role: "user", content, timestamp: at + i };
    lines.push({ type: "message", id: id(i), parentId: i === 0 ? null : id(i - 1), timestamp: time(i), message });
  }
  return `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
}

const id = (i: number): string => i.toString(16).padStart(8, "0");
const usage = (output: number) => ({
  input: 10,
  output,
  cacheRead: 0,
  cacheWrite: 0,
  totalTokens: 10 + output,
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 },
});

/** `devices/paired.json` with one device and its operator token. */
export function pairOldDevice(to: string, device: Device, token: string, scopes: readonly string[]): void {
  mkdirSync(join(to, "devices"), { recursive: true });
  const record = {
    deviceId: device.id,
    publicKey: device.publicKey,
    displayName: "Old laptop",
    platform: "linux",
    clientId: "cli",
    clientMode: "cli",
    role: "operator",
    roles: ["operator"],
    scopes,
    tokens: { operator: { token, role: "operator", scopes, createdAtMs: 1_765_000_000_000 } },
    createdAtMs: 1_765_000_000_000,
    approvedAtMs: 1_765_000_000_000,
  };
  writeFileSync(join(to, "devices", "paired.json"), JSON.stringify({ [device.id]: record }));
}

/** Path → content hash and mode of everything in a folder, without `skip` at its top. */
export function contentOf(folder: string, skip: readonly string[] = []): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (skip.some((name) => path === name || path.startsWith(`${name}/`))) continue;
    const stat = lstatSync(join(folder, path));
    const hash = stat.isFile()
      ? createHash("sha256")
          .update(readFileSync(join(folder, path)))
          .digest("hex")
      : "-";
    found[path] = `${stat.mode.toString(8)} ${hash}`;
  }
  return found;
}

/** What an import wrote, without when. The store must be closed. */
export function importedRows(state: string): unknown {
  const database = new DatabaseSync(join(state, "openclaw.db"), { readOnly: true });
  try {
    const queries = {
      sessions: "SELECT key, session_id, updated_at, label, json FROM session ORDER BY key",
      transcripts: "SELECT * FROM transcript ORDER BY session_id",
      entries: "SELECT * FROM entry ORDER BY session_id, seq",
      usage: "SELECT * FROM usage_day ORDER BY day, session_id, provider, model",
      files: "SELECT path, hash FROM import_file ORDER BY path",
      devices: "SELECT * FROM device ORDER BY device_id",
      tokens: "SELECT * FROM device_token ORDER BY device_id, role",
      nodes: "SELECT * FROM node_pairing ORDER BY node_id",
      check: "PRAGMA integrity_check",
    };
    return Object.fromEntries(Object.entries(queries).map(([name, sql]) => [name, database.prepare(sql).all()]));
  } finally {
    database.close();
  }
}
