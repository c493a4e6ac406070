/** Replies: what a run owes to a chat becomes outbox rows in the very commit that ends the run, and the messages it answered end
 *  there too (R-RUN-8, I4). After a stop nothing is inserted (R-STOP-2). */
import { GatewayError } from "@openclaw/protocol";
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import type { Tx } from "../../../store/store.ts";
import { type EndingPort, type ReplyRoute, type RunEnd, spoken } from "../../agents/index.ts";
import type { Sessions } from "../../sessions/index.ts";
import type { Target } from "../channel.ts";
import type { OutgoingFile } from "../compose.ts";
import type { InboundRow } from "../inbound.ts";
import type { TakeOptions } from "../media-source.ts";
import type { OutboundPart, OutboxKind } from "../outbound.ts";
import { echoChat, type Echoes } from "./echoes.ts";
import type { ChannelPort, InboxPort, OutboxPort } from "./ports.ts";
import { maxMedia, readSaid, replyParts, type Said, verbatimParts } from "./reply-parts.ts";
import type { Streamed } from "./streamed.ts";

export interface RepliesOptions {
  world: Pick<World, "after">;
  log: Logger;
  inbox: Pick<InboxPort, "move" | "endRun" | "byRun">;
  outbox: OutboxPort;
  sessions: Pick<Sessions, "get" | "maySend">;
  channel: (id: string) => ChannelPort | undefined;
  media: { take(source: string, options: TakeOptions): Promise<OutgoingFile> };
  /** Directories whose files an agent may send; the first is where relative paths begin. */
  roots: (agentId: string) => readonly string[];
  echoes: Echoes;
}

type Fetched = ReadonlyMap<string, OutgoingFile | { problem: string }>;
type Verdict = { to: "answered" | "silent" | "noticed" | "dropped" | "quarantined"; reason?: string };

const prepareMs = 60_000;
/** What of an answer has not left by then is sent with its end. */
const settleMs = 15_000;

export class Replies implements EndingPort {
  readonly #o: RepliesOptions;

  constructor(options: RepliesOptions) {
    this.#o = options;
  }

  /** Fetches the files the texts name, one after the other. Never rejects: what cannot be had is said in the reply. */
  readonly prepare = async (run: Parameters<NonNullable<EndingPort["prepare"]>>[0]): Promise<Fetched> => {
    await this.#settled(run.runId, run.signal);
    const fetched = new Map<string, OutgoingFile | { problem: string }>();
    const settings = this.#o.channel(run.route.channel)?.settings(run.route.accountId);
    const sources = run.texts.flatMap((text) => (text.includes("MEDIA:") ? readSaid(text).media : []));
    if (!settings || sources.length === 0) return fetched;
    const roots = this.#o.roots(run.agentId);
    const late = new AbortController();
    const timer = this.#o.world.after(prepareMs, () => late.abort());
    const signal = AbortSignal.any([run.signal, late.signal]);
    for (const source of new Set(sources.slice(0, maxMedia))) {
      if (signal.aborted) break;
      try {
        const options = { maxBytes: settings.mediaMaxBytes, signal, roots, base: roots[0] ?? "/" };
        fetched.set(source, await this.#o.media.take(source, options));
      } catch (error) {
        if (!(error instanceof GatewayError)) this.#o.log.warn("a file of a reply could not be taken", { error });
        const problem = error instanceof GatewayError ? error.message : "A file could not be sent.";
        fetched.set(source, { problem });
      }
    }
    timer.cancel();
    return fetched;
  };

  /** What was said early goes before the end, each piece in its time. */
  async #settled(runId: string, signal: AbortSignal): Promise<void> {
    const late = Promise.withResolvers<void>();
    const end = () => late.resolve();
    const timer = this.#o.world.after(settleMs, end);
    signal.addEventListener("abort", end, { once: true });
    await Promise.race([this.#o.echoes.streamed.settled(runId), late.promise]);
    timer.cancel();
    signal.removeEventListener("abort", end);
  }

  /** Throws only what the store throws: then the commit is tried again as a whole. */
  store(tx: Tx, end: RunEnd): void {
    const rows = this.#o.inbox.byRun(end.id, tx);
    this.#endRows(tx, end, rows, this.#verdict(tx, end));
    // A commit that fails is tried again, and has to know what was sent before.
    tx.afterCommit(() => this.#o.echoes.forgetRun(end.runId));
  }

  /** Every message ends here, also when its answer cannot be put together. */
  #verdict(tx: Tx, end: RunEnd): Verdict {
    const { route } = end;
    if (!route) return { to: "silent", reason: "no-route" };
    try {
      return this.#deliver(tx, end, route);
    } catch (error) {
      if (isStores(error)) throw error;
      this.#o.log.error("the reply of a run could not be put together", { runId: end.runId, error });
    }
    try {
      const text =
        "⚠️ The answer could not be sent because of an internal error; the log of the gateway has the details.";
      this.#insert(tx, end, route, {
        key: `lost:${end.id}`,
        kind: "notice",
        parts: verbatimParts(targetOf(route), text),
      });
      return { to: "noticed", reason: "reply-failed" };
    } catch (error) {
      if (isStores(error)) throw error;
      this.#o.log.error("nor could that be said", { runId: end.runId, error });
      return { to: "dropped", reason: "reply-failed" };
    }
  }

  #deliver(tx: Tx, end: RunEnd, route: ReplyRoute): Verdict {
    const stopped = end.state === "aborted" && end.reason !== "shutdown";
    if (stopped) return { to: end.started ? "silent" : "dropped", reason: "stopped" };
    const session = end.sessionKey ? this.#o.sessions.get(end.sessionKey) : undefined;
    if (session && !this.#o.sessions.maySend(session)) return { to: "silent", reason: "send-policy" };
    const failed = end.state !== "ok";
    const parts = this.#parts(end, route);
    const began = this.#o.echoes.streamed.began(end.runId);
    if (parts.length === 0) return began ? { to: "answered" } : { to: "silent", reason: "no-reply" };
    this.#insert(tx, end, route, {
      key: failed ? `notice:${end.runId}` : `reply:${end.runId}:${end.id}`,
      kind: end.kind ?? (failed ? "notice" : "reply"),
      parts,
    });
    return end.exhausted ? { to: "quarantined" } : { to: failed ? "noticed" : "answered" };
  }

  #insert(
    tx: Tx,
    { id, family, sessionKey }: RunEnd,
    { channel, accountId }: ReplyRoute,
    message: { key: string; kind: OutboxKind; parts: OutboundPart[] },
  ): void {
    this.#o.outbox.insert(tx, {
      ...message,
      family: `run-${family}`,
      principal: "gateway",
      channel,
      accountId,
      runRowId: id,
      ...(sessionKey ? { sessionKey } : {}),
    });
  }

  #parts(end: RunEnd, route: ReplyRoute): OutboundPart[] {
    const channel = this.#o.channel(route.channel);
    const settings = channel?.settings(route.accountId);
    const target = targetOf(route);
    const chat = echoChat(route.channel, route.accountId, route.chatId);
    const fetched = (end.prepared ?? new Map()) as Fetched;
    const { streamed } = this.#o.echoes;
    const read = end.texts
      .map((raw) => (end.command ? { said: verbatim(raw), begun: false } : leftOf(raw, streamed, end.runId)))
      .filter(({ said }) => said.text !== "" || said.media.length > 0)
      .filter(
        ({ said }) =>
          said.media.length > 0 || !this.#o.echoes.wasSentByTool(end.runId, chat, said.text, route.threadId),
      );
    const texts = read.map(({ said, begun }, index) => {
      const { files, problems } = filesOf(said, fetched);
      const told = [said.text, ...problems.map((problem) => `⚠️ ${problem}`)]
        .filter((line) => line !== "")
        .join("\n\n");
      const add = { prefix: !begun, footer: index === read.length - 1 };
      return { said, text: told === "" ? "" : end.finish(told, add), files };
    });
    if (end.state !== "ok") {
      const text = `⚠️ ${end.error ?? "The run failed."}`;
      texts.push({ said: verbatim(text), text, files: [] });
    }
    for (const { text } of texts) this.#o.echoes.said(chat, text);
    // The message was quoted by the first piece that was sent.
    const replyToId =
      streamed.began(end.runId) && settings?.access.replyToMode === "first" ? undefined : route.replyToId;
    if (channel?.entry && settings) return replyParts({ entry: channel.entry, settings, target, replyToId, texts });
    // The channel is off or gone: the outbox keeps it as long as replies live, and says so when it could not go.
    this.#o.log.warn("a reply waits for a channel that is not there", { channel: route.channel, runId: end.runId });
    return texts.flatMap(({ text }) => verbatimParts(target, text));
  }

  #endRows(tx: Tx, end: RunEnd, rows: readonly InboundRow[], { to, reason }: Verdict): void {
    // A command has no run of its own to be told about: its answer is all there is.
    for (const row of rows)
      if (row.state === "command")
        this.#o.inbox.move(
          tx,
          row.id,
          to === "silent" || to === "dropped" ? "silent" : "answered",
          reason ? { reason } : {},
        );
    this.#o.inbox.endRun(tx, end.id, to, reason);
  }
}

/** A text as it is still to be sent: without what left while it was written. */
function leftOf(raw: string, streamed: Streamed, runId: string): { said: Said; begun: boolean } {
  const said = readSaid(raw);
  const rest = streamed.rest(runId, spoken(raw));
  return rest === undefined ? { said, begun: false } : { said: { ...said, text: readSaid(rest).text }, begun: true };
}

const targetOf = ({ chatId, kind, threadId }: ReplyRoute): Target => ({
  chatId,
  kind,
  ...(threadId === undefined ? {} : { threadId }),
});

/** Results of SQLite that are about what was asked, not about the disk: an error in it, too large, a violated constraint, of the wrong
 *  type, misuse, out of range. The same again would be refused again, for ever. */
const mistakes: ReadonlySet<number> = new Set([1, 18, 19, 20, 21, 25]);

/** Whether the store failed, rather than something of ours: it will take the same again, or refuse the whole commit. */
function isStores(error: unknown): boolean {
  if (error instanceof GatewayError) return error.kind === "unavailable";
  if (!(error instanceof Error) || !("errcode" in error)) return false;
  return typeof error.errcode === "number" && !mistakes.has(error.errcode & 0xff);
}

const verbatim = (text: string): Said => ({ text: text.trim(), media: [], asVoice: false });

function filesOf(said: Said, fetched: Fetched): { files: OutgoingFile[]; problems: string[] } {
  const files: OutgoingFile[] = [];
  const problems: string[] = [];
  for (const source of said.media) {
    const file = fetched.get(source);
    if (!file) problems.push("A file could not be sent in time.");
    else if ("problem" in file) problems.push(file.problem);
    else files.push(file);
  }
  return { files, problems };
}
