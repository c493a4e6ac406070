/** What a former process left behind (reliability.md §3.1): rows past their time fail before any sending starts, interrupted
 *  attempts go on with their client message id or become unknown, the rest waits again. */
import type { World } from "../../../kernel/world.ts";
import type { Store } from "../../../store/store.ts";
import type { OutboundPart } from "../outbound.ts";
import type { AccountQueue, Waiting } from "./account-queue.ts";
import { type Endings, messageOf } from "./endings.ts";
import type { OpenRow, OutboxTable } from "./outbox.store.ts";
import { textOf } from "./repeats.ts";
import { isOperatorKind, reasons } from "./verdict.ts";

export interface LoadDeps {
  store: Store;
  world: World;
  table: OutboxTable;
  endings: Endings;
  queueOf: (channel: string, accountId: string) => AccountQueue;
}

/** Longest window of any budget. */
const rememberedMs = 60_000;
const expired = "the time in which it could be sent was over";

export function waitingOf(
  row: Pick<OpenRow, "id" | "chatId" | "chatKind" | "part" | "kind" | "createdAt" | "nextAt" | "expiresAt">,
  world: Pick<World, "now" | "monotonic">,
): Waiting {
  const now = world.now();
  const mono = world.monotonic();
  // A clock that was set back must not make a row wait longer than it may live.
  const leftMs = Math.min(row.expiresAt - now, row.expiresAt - row.createdAt);
  return {
    id: row.id,
    message: messageOf(row),
    chatId: row.chatId,
    isGroup: row.chatKind !== "direct",
    operator: isOperatorKind(row.kind),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    expiresMono: mono + leftMs,
    addedMono: mono,
    dueMono: mono + Math.min(Math.max(0, row.nextAt - now), Math.max(0, leftMs)),
    ending: false,
    held: false,
  };
}

/** Fills the queues, page by page. Rejects when the store cannot write; it may then be called again. */
export async function load(deps: LoadDeps): Promise<void> {
  const { table } = deps;
  let at = table.nextAccount("", "");
  while (at) {
    const queue = deps.queueOf(at.channel, at.accountId);
    for (;;) {
      const page = table.open(at.channel, at.accountId, queue.lastId);
      const last = page.at(-1);
      if (!last) break;
      const waiting = await settle(page, deps);
      for (const row of waiting) queue.add(waitingOf(row, deps.world));
      queue.lastId = Math.max(queue.lastId, last.id);
    }
    at = table.nextAccount(at.channel, at.accountId);
  }
  recallBudgets(deps);
}

/** Settles a page in one commit; returns the rows that go on waiting. */
function settle(page: readonly OpenRow[], { store, world, endings }: LoadDeps): Promise<OpenRow[]> {
  return store.commit((tx) => {
    const now = world.now();
    return page.filter((row) => {
      const isOver = row.expiresAt <= now;
      if (row.state === "queued" && !isOver) return true;
      if (row.state === "queued") {
        endings.giveUp(tx, row.id, reasons.expired, expired);
        return false;
      }
      if (row.clientMsgId === null || isOver) {
        const detail = "the gateway stopped while it was being sent";
        endings.move(tx, row.id, "unknown", { reason: reasons.interrupted, detail });
        return false;
      }
      endings.move(tx, row.id, "queued", { nextAt: now, reason: reasons.unconfirmed });
      return true;
    });
  });
}

/** What left in the last minute still counts: a restart is no way around a budget. */
function recallBudgets(deps: LoadDeps): void {
  const { table, world, queueOf } = deps;
  const offset = world.monotonic() - world.now();
  let at = { endedAt: world.now() - rememberedMs, id: 0 };
  for (;;) {
    const page = table.recent(at.endedAt, at.id);
    for (const row of page) {
      const queue = queueOf(row.channel, row.accountId);
      queue.budget.record(row.chatId, Math.min(world.monotonic(), row.endedAt + offset));
      if (row.part === 0)
        queue.repeats.said(row.chatId, textOf((JSON.parse(row.payload) as OutboundPart).content), row.endedAt + offset);
    }
    const last = page.at(-1);
    if (!last || page.length < 256) return;
    at = last;
  }
}
