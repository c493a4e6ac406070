/** The poll loop: one request at a time, and an offset that moves only over what is stored (R-IN-1, R-IN-2, R-TG-1..3). */
import type { Update, UserFromGetMe } from "grammy/types";
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import type { ConnectionEnd, ConnectionEvents } from "../channel.ts";
import type { InboundMessage } from "../inbound.ts";
import type { BotApi } from "./api.ts";
import { CallError } from "./failure.ts";
import type { TelegramLimits } from "./limits.ts";
import { proxyCode } from "./through-proxy.ts";
import { allowedUpdates, type UpdateReader } from "./updates.ts";

export interface PollOptions {
  api: BotApi;
  me: UserFromGetMe;
  reader: UpdateReader;
  events: ConnectionEvents;
  world: World;
  log: Logger;
  limits: TelegramLimits;
  /** After this the loop ends and calls nothing any more. */
  signal: AbortSignal;
  /** Ends the request that waits now, and nothing else. */
  nudge: () => AbortSignal;
  /** A poll was answered. */
  answered: () => void;
  /** A button was pressed: somebody looks at a spinner. */
  pressed: (callbackId: string) => void;
}

/** Polls until aborted, or until a request fails: then it rejects with CallError, or with what `receive` threw. */
export async function poll(o: PollOptions): Promise<void> {
  const { events, world, limits, me } = o;
  const ownId = String(me.id);
  const stored = events.cursor(ownId);
  let cursor = stored === undefined ? undefined : Number(stored.value);
  let movedAt = stored?.storedAt ?? world.now();
  if (stored === undefined) {
    o.log.info("no earlier position for this bot: begins with what Telegram still holds", { bot: me.username });
    events.note({ cursor: "fresh" });
  }
  while (!o.signal.aborted) {
    await events.room();
    if (cursor !== undefined && world.now() - movedAt > limits.cursorMaxAgeMs) {
      o.log.info("the last update is older than Telegram's ids last: begins with what it still holds", { cursor });
      events.note({ cursor: "fresh" });
      cursor = undefined;
    }
    const updates = await fetchUpdates(o, cursor);
    if (o.signal.aborted) return;
    if (updates === undefined) {
      await pause(o, limits.repollMs);
      continue;
    }
    o.answered();
    events.activity();
    if (updates.length === 0) continue;
    cursor = await store(o, updates, ownId);
    movedAt = world.now();
  }
}

function pause({ world, signal }: PollOptions, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = world.after(ms, end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** Undefined when the request was nudged: the caller asks again. */
async function fetchUpdates(o: PollOptions, cursor: number | undefined): Promise<Update[] | undefined> {
  const nudge = o.nudge();
  try {
    const updates = await o.api.call(
      "getUpdates",

      {
        ...(cursor === undefined ? {} : { offset: cursor + 1 }),
        limit: 100,
        timeout: Math.ceil(o.limits.pollWaitMs / 1_000),
        allowed_updates: allowedUpdates,
      },
      { timeoutMs: o.limits.pollWaitMs + o.limits.pollMarginMs, signal: AbortSignal.any([o.signal, nudge]) },
    );
    if (Array.isArray(updates) && updates.every((one) => Number.isSafeInteger(one?.update_id))) return updates;
    throw new CallError("getUpdates", { kind: "no-answer", status: 200 });
  } catch (error) {
    if (nudge.aborted && !o.signal.aborted) return undefined;
    throw error;
  }
}

/** Hands a batch over and returns the new cursor once it is durable. */
async function store(o: PollOptions, updates: readonly Update[], ownId: string): Promise<number> {
  const messages: InboundMessage[] = [];
  const skipped: Record<string, number> = {};
  for (const update of updates) {
    if (update.callback_query) o.pressed(update.callback_query.id);
    const reading = o.reader.read(update);
    if ("message" in reading) {
      messages.push(reading.message);
      continue;
    }
    skipped[reading.skipped] = (skipped[reading.skipped] ?? 0) + 1;
    if (reading.skipped === "membership") o.log.info("the bot's place in a chat changed", reading.fact);
    else o.log.debug("update passed over", { reason: reading.skipped, updateId: update.update_id });
  }
  const last = updates.reduce((most, one) => Math.max(most, one.update_id), 0);
  await o.events.receive({ ownId, messages, skipped, cursor: String(last) });
  return last;
}

/** How the attempt ended, from what ended the loop. `conflicts` counts polls in a row that another poller ended. */
export function endOf(
  error: unknown,
  { limits, conflicts }: { limits: TelegramLimits; conflicts: number },
): ConnectionEnd {
  if (!(error instanceof CallError))
    return { kind: "retry", message: error instanceof Error ? error.message : String(error) };
  const { failure, message } = error;
  if (failure.kind !== "refused") {
    if (failure.kind === "not-sent" && failure.errno.startsWith(proxyCode))
      return { kind: "retry", message, hint: "Look at channels.telegram.proxy: the proxy let nothing through." };
    const status = failure.kind === "no-answer" ? failure.status : undefined;
    return {
      kind: "retry",
      message,
      ...(status === undefined
        ? {}
        : {
            status,
            hint: "Something between here and Telegram answers. Check the network and channels.telegram.apiRoot.",
          }),
    };
  }
  const { code } = failure;
  if (code === 401 || code === 404)
    return {
      kind: "terminal",
      reason: "bad-token",
      status: code,
      message: `Telegram does not know this bot token (${code}).`,
      fix: "Get a valid token from @BotFather, and set channels.telegram.botToken.",
    };
  if (code === 409)
    return {
      kind: "retry",
      status: code,
      message: "Another poll of this bot ended ours (409).",
      // After a hard kill the platform holds the former poll until its time is up.
      afterMs: limits.pollWaitMs,
      ...(conflicts < 2
        ? {}
        : {
            hint: "Another program uses this bot: a second gateway, a script or a webhook. Stop it, or give this gateway a bot of its own.",
          }),
    };
  return {
    kind: "retry",
    status: code,
    message,
    ...(failure.retryAfterMs === undefined ? {} : { afterMs: failure.retryAfterMs }),
  };
}
