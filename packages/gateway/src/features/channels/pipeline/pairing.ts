/** Pairing of strangers who write direct messages (channels.md §2.2): a request with a code, approved by the owner. Owns tables
 *  `pairing_request` and `pairing_allow`. */
import { timingSafeEqual } from "node:crypto";
import { GatewayError, type MethodParams, type MethodResult } from "@openclaw/protocol";
import { commandLine } from "../../../kernel/paths.ts";
import type { World } from "../../../kernel/world.ts";
import type { Reader, Row, Store, Tx } from "../../../store/store.ts";
import type { InboundMessage } from "../inbound.ts";
import type { ChannelPort, OutboxPort } from "./ports.ts";
import { plainParts } from "./reply-parts.ts";
import { targetOf } from "./routing.ts";

export const pairingLifetimeMs = 60 * 60_000;
export const maxPending = 3;
const maxListed = 256;
const maxAllowed = 1_000;
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const codeLength = 8;

export interface PairingOptions {
  store: Store;
  world: World;
  outbox: OutboxPort;
  channel: (id: string) => ChannelPort | undefined;
}

type Listed = MethodResult<"pairing.list">["requests"][number];

interface Pending extends Listed {
  chatId: string;
}

const columns = "channel, account_id, sender_id, chat_id, code, meta, created_at, last_seen_at";

export class Pairing {
  readonly #o: PairingOptions;

  constructor(options: PairingOptions) {
    this.#o = options;
  }

  isAllowed(channel: string, accountId: string, senderId: string): boolean {
    const sql = "SELECT 1 FROM pairing_allow WHERE channel = ? AND account_id = ? AND sender_id = ?";
    return this.#o.store.get(sql, channel, accountId, senderId) !== undefined;
  }

  /** Senders let in by pairing, the oldest first. */
  allowed(channel: string, accountId: string): string[] {
    const sql = "SELECT sender_id FROM pairing_allow WHERE channel = ? AND account_id = ? ORDER BY added_at LIMIT ?";
    return this.#o.store.all<Row>(sql, channel, accountId, maxListed).map((row) => row["sender_id"] as string);
  }

  /** A stranger wrote. The first time within an hour a request is stored and answered, in this commit; what else there is to
   *  do is nothing. Returns whether it was answered. */
  request(tx: Tx, channel: string, accountId: string, message: InboundMessage, options: { silent: boolean }): boolean {
    const { world } = this.#o;
    const now = world.now();
    const { sender } = message;
    tx.run(
      "DELETE FROM pairing_request WHERE channel = ? AND account_id = ? AND created_at <= ?",
      channel,
      accountId,
      now - pairingLifetimeMs,
    );
    const seen = tx.run(
      "UPDATE pairing_request SET last_seen_at = ? WHERE channel = ? AND account_id = ? AND sender_id = ?",
      now,
      channel,
      accountId,
      sender.id,
    );
    if (seen.changes > 0 || options.silent) return false;
    const pending = this.#pending(tx, channel, accountId);
    if (pending.length >= maxPending) return false;
    const code = this.#freshCode(pending);
    const meta = {
      ...(sender.name ? { name: sender.name.slice(0, 200) } : {}),
      ...(sender.username ? { username: sender.username.slice(0, 200) } : {}),
      accountId,
    };
    tx.run(
      `INSERT INTO pairing_request (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      channel,
      accountId,
      sender.id,
      targetOf(message).chatId,
      code,
      JSON.stringify(meta),
      now,
      now,
    );
    this.#tell(
      tx,
      channel,
      accountId,
      message,
      `${channel}:${accountId}:${sender.id}:${code}`,
      this.#askText(channel, accountId, sender.id, code),
    );
    return true;
  }

  /** `pairing.list`: what waits, the oldest first. */
  list(params: MethodParams<"pairing.list"> = {}): Listed[] {
    const { store, world } = this.#o;
    const since = world.now() - pairingLifetimeMs;
    const sql = `SELECT ${columns} FROM pairing_request WHERE created_at > ? ORDER BY created_at LIMIT ?`;
    const channel = params.channel?.trim().toLowerCase();
    return store
      .all<Row>(sql, since, maxListed)
      .map((row) => this.#fromRow(row))
      .filter(
        (one) =>
          (channel === undefined || one.channel === channel) &&
          (params.accountId === undefined || one.accountId === params.accountId),
      )
      .map(({ chatId: _chatId, ...shown }) => shown);
  }

  /** `pairing.approve`. Lets the sender write direct messages; nothing else. Throws GatewayError("not-found") for a code that
   *  is wrong or older than an hour. */
  approve(params: MethodParams<"pairing.approve">): Promise<MethodResult<"pairing.approve">> {
    return this.#o.store.commit((tx) => {
      const found = this.#take(tx, params);
      const { channel, accountId, id } = found;
      const count = tx.get<{ n: number }>(
        "SELECT count(*) AS n FROM (SELECT 1 FROM pairing_allow WHERE channel = ? AND account_id = ? LIMIT ?)",
        channel,
        accountId,
        maxAllowed,
      );
      if ((count?.n ?? 0) >= maxAllowed)
        throw new GatewayError(
          "conflict",
          `${maxAllowed} senders of ${channel} are paired already. Put the ones you know into channels.${channel}.allowFrom and remove some.`,
        );
      tx.run(
        "INSERT INTO pairing_allow (channel, account_id, sender_id, added_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        channel,
        accountId,
        id,
        this.#o.world.now(),
      );
      if (params.notify) {
        const text = "You were approved. Send a message to begin.";
        const target = { chatId: found.chatId, kind: "direct" as const };
        this.#send(tx, channel, accountId, `approved:${channel}:${accountId}:${id}:${found.code}`, target, text);
      }
      return { channel, accountId, id };
    });
  }

  /** `pairing.reject`. Throws GatewayError("not-found") like `approve`. */
  reject(params: MethodParams<"pairing.reject">): Promise<MethodResult<"pairing.reject">> {
    return this.#o.store.commit((tx) => {
      const { channel, accountId, id } = this.#take(tx, params);
      return { channel, accountId, id };
    });
  }

  /** Takes the right to write direct messages back. False when there was none. */
  remove(channel: string, accountId: string, senderId: string): Promise<boolean> {
    const sql = "DELETE FROM pairing_allow WHERE channel = ? AND account_id = ? AND sender_id = ?";
    return this.#o.store.commit((tx) => tx.run(sql, channel, accountId, senderId).changes > 0);
  }

  /** Finds the request of a code and deletes it. Every pending code is compared, each in constant time. */
  #take(tx: Tx, params: { channel: string; code: string; accountId?: string | undefined }): Pending {
    const channel = params.channel.trim().toLowerCase();
    const since = this.#o.world.now() - pairingLifetimeMs;
    const given = Buffer.alloc(codeLength + 1);
    given.write(
      params.code
        .trim()
        .toUpperCase()
        .slice(0, codeLength + 1),
    );
    const sql = `SELECT ${columns} FROM pairing_request WHERE channel = ? AND created_at > ? ORDER BY created_at LIMIT ?`;
    let found: Pending | undefined;
    for (const row of tx.all<Row>(sql, channel, since, maxListed)) {
      const pending = this.#fromRow(row);
      if (params.accountId !== undefined && pending.accountId !== params.accountId) continue;
      const code = Buffer.alloc(codeLength + 1);
      code.write(pending.code);
      if (timingSafeEqual(code, given)) found = pending;
    }
    if (!found)
      throw new GatewayError(
        "not-found",
        `No pending pairing request of ${channel.slice(0, 64)} has this code. Codes live for an hour; ask the sender to write again.`,
        { details: { code: "UNKNOWN_PAIRING_CODE" } },
      );
    tx.run(
      "DELETE FROM pairing_request WHERE channel = ? AND account_id = ? AND sender_id = ?",
      channel,
      found.accountId,
      found.id,
    );
    return found;
  }

  #pending(reader: Reader, channel: string, accountId: string): Pending[] {
    const sql = `SELECT ${columns} FROM pairing_request WHERE channel = ? AND account_id = ? LIMIT ?`;
    return reader.all<Row>(sql, channel, accountId, maxPending).map((row) => this.#fromRow(row));
  }

  #freshCode(pending: readonly Pending[]): string {
    for (;;) {
      const bytes = this.#o.world.randomBytes(codeLength);
      const code = Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join("");
      if (pending.every((other) => other.code !== code)) return code;
    }
  }

  #askText(channel: string, accountId: string, senderId: string, code: string): string {
    const label = this.#o.channel(channel)?.entry?.idLabel ?? "id";
    const account = accountId === "default" ? "" : ` --account ${accountId}`;
    return [
      "This assistant does not know you yet.",
      `Your ${label}: ${senderId}`,
      `Pairing code: ${code}`,
      "",
      "Its owner can let you in with:",
      commandLine(this.#o.world, `pairing approve ${channel} ${code}${account}`),
    ].join("\n");
  }

  #tell(tx: Tx, channel: string, accountId: string, message: InboundMessage, key: string, text: string): void {
    this.#send(tx, channel, accountId, key, targetOf(message), text);
  }

  #send(
    tx: Tx,
    channel: string,
    accountId: string,
    key: string,
    target: { chatId: string; kind: "direct" | "group" | "channel"; threadId?: string },
    text: string,
  ): void {
    const parts = plainParts(this.#o.channel(channel), accountId, target, text);
    if (parts.length === 0) return;
    const principal = `${channel}:${accountId}`;
    this.#o.outbox.insert(tx, { key, family: "pairing", principal, channel, accountId, kind: "notice", parts });
  }

  #fromRow(row: Row): Pending {
    const channel = row["channel"] as string;
    return {
      channel,
      accountId: row["account_id"] as string,
      id: row["sender_id"] as string,
      idLabel: this.#o.channel(channel)?.entry?.idLabel ?? "id",
      chatId: row["chat_id"] as string,
      code: row["code"] as string,
      meta: JSON.parse(row["meta"] as string) as Record<string, unknown>,
      createdAt: row["created_at"] as number,
      lastSeenAt: row["last_seen_at"] as number,
    };
  }
}
