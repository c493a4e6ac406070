/** Tables of the channels room (settled.md 16). Their SQL stands with who uses them: `ledger/`, `pipeline/`, `whatsapp/`. */
import type { Migration } from "../../store/store.ts";

export const channelMigrations: Migration[] = [
  {
    id: "channels-1",
    sql: `
CREATE TABLE inbound (
  id INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  own_id TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  message TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  session_key TEXT,
  run_row_id INTEGER,
  reason TEXT,
  ended_at INTEGER,
  UNIQUE (channel, account_id, own_id, platform_id)
) STRICT;
CREATE INDEX inbound_open ON inbound (channel, account_id, bytes) WHERE state IN ('stored', 'command', 'waiting');
CREATE INDEX inbound_replay ON inbound (id) WHERE state IN ('stored', 'command', 'waiting');
CREATE INDEX inbound_run ON inbound (run_row_id) WHERE run_row_id IS NOT NULL;
CREATE INDEX inbound_session ON inbound (session_key, id) WHERE state = 'waiting';
CREATE INDEX inbound_ended ON inbound (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE channel_cursor (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  own_id TEXT NOT NULL,
  value TEXT NOT NULL,
  stored_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, own_id)
) STRICT;

CREATE TABLE channel_count (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, reason)
) STRICT;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  family TEXT NOT NULL,
  principal TEXT NOT NULL,
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  part INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  client_msg_id TEXT,
  provider_msg_id TEXT,
  facts TEXT,
  created_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  run_row_id INTEGER,
  session_key TEXT,
  reason TEXT,
  detail TEXT,
  told INTEGER NOT NULL DEFAULT 0,
  UNIQUE (family, key, principal, part)
) STRICT;
CREATE INDEX outbox_open ON outbox (channel, account_id, id) WHERE state IN ('queued', 'attempting');
CREATE INDEX outbox_unknown ON outbox (channel, account_id, id) WHERE state = 'unknown';
CREATE INDEX outbox_sent ON outbox (channel, account_id, provider_msg_id) WHERE provider_msg_id IS NOT NULL;
CREATE INDEX outbox_client ON outbox (channel, account_id, client_msg_id) WHERE client_msg_id IS NOT NULL;
CREATE INDEX outbox_ended ON outbox (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE pairing_request (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  sender_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  code TEXT NOT NULL,
  meta TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, sender_id)
) STRICT;

CREATE TABLE pairing_allow (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  sender_id TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, sender_id)
) STRICT;

CREATE TABLE whatsapp_auth (
  account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (account_id, kind, id)
) STRICT, WITHOUT ROWID;`,
  },
];
