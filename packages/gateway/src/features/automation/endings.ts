/** The end of a run that automation started, inside the commit that stores it: a heartbeat sends only what is due, and the end of
 *  a webhook's run is told to the agent. Everything else goes on to the chats unchanged. */
import type { Logger } from "../../kernel/log.ts";
import type { World } from "../../kernel/world.ts";
import type { Tx } from "../../store/store.ts";
import type { EndingPort, RunEnd } from "../agents/index.ts";
import type { Sessions } from "../sessions/index.ts";
import { noteAlert } from "./heartbeat/heartbeat.store.ts";
import type { Heartbeats } from "./heartbeat/heartbeats.ts";
import { judgeReply } from "./heartbeat/reply.ts";
import { visibilityOf } from "./heartbeat/visibility.ts";
import type { NotePort } from "./note.ts";

export interface AutomationEndingsOptions {
  world: Pick<World, "now">;
  log: Logger;
  config: { readonly current: unknown };
  heartbeats: Heartbeats;
  sessions: Pick<Sessions, "update">;
  note: NotePort;
  /** Of the channels. */
  inner: EndingPort;
}

const previewChars = 200;
const summaryChars = 2_000;

export class AutomationEndings implements EndingPort {
  readonly #o: AutomationEndingsOptions;

  constructor(options: AutomationEndingsOptions) {
    this.#o = options;
  }

  readonly prepare: NonNullable<EndingPort["prepare"]> = async (run) => this.#o.inner.prepare?.(run);

  store(tx: Tx, end: RunEnd): void {
    try {
      if (end.family === "heartbeat") return this.#heartbeat(tx, end);
      if (end.hook) this.#tell(tx, end);
    } catch (error) {
      // The end of the run itself must be stored; what could not be judged is sent to nobody.
      this.#o.log.error("the end of an automated run could not be judged", { runId: end.runId, error });
      if (end.family === "heartbeat") return this.#o.inner.store(tx, { ...end, texts: [] });
    }
    this.#o.inner.store(tx, this.#acknowledges(end) ? { ...end, texts: [] } : end);
  }

  /** A webhook's run that says as a heartbeat does that nothing is due (http.md §12.5). */
  #acknowledges({ hook, state, texts, agentId }: RunEnd): boolean {
    if (!hook || state !== "ok") return false;
    return judgeReply(texts, this.#o.heartbeats.settings(agentId).ackMaxChars).kind === "token";
  }

  #heartbeat(tx: Tx, end: RunEnd): void {
    const { world, config, heartbeats, inner, sessions } = this.#o;
    const begun = heartbeats.taken(end.runId);
    const { route } = end;
    const now = world.now();
    const visible = visibilityOf(config.current, route?.channel, route?.accountId);
    const verdict = judgeReply(end.texts, (begun?.settings ?? heartbeats.settings(end.agentId)).ackMaxChars);
    const preview = verdict.texts.join("\n\n").slice(0, previewChars).toWellFormed();
    const tell = (record: Omit<Parameters<Heartbeats["announce"]>[0], "durationMs">) => {
      const { indicatorType, ...rest } = record;
      tx.afterCommit(() =>
        heartbeats.announce({
          ...rest,
          ...(begun ? { durationMs: Math.max(0, now - begun.at) } : {}),
          ...(preview ? { preview } : {}),
          ...(route ? { channel: route.channel, to: route.chatId, accountId: route.accountId } : {}),
          ...(indicatorType && visible.useIndicator ? { indicatorType } : {}),
        }),
      );
    };
    if (end.state === "aborted") return tell({ status: "skipped", reason: "aborted" });
    if (end.state !== "ok") return tell({ status: "failed", reason: end.error ?? end.state, indicatorType: "error" });
    if (verdict.kind !== "alert") {
      // Nothing happened here: the session is as old as before.
      if (begun?.updatedAt !== undefined)
        sessions.update(tx, end.sessionKey, { updatedAt: begun.updatedAt }, { touch: false });
      const shown = route !== undefined && visible.showOk;
      if (shown) inner.store(tx, { ...end, texts: ["HEARTBEAT_OK"], command: true, kind: "heartbeat" });
      return tell({ status: verdict.kind === "token" ? "ok-token" : "ok-empty", silent: !shown, indicatorType: "ok" });
    }
    if (!route) return tell({ status: "skipped", reason: begun?.unseen ?? "no-target", indicatorType: "alert" });
    if (!visible.showAlerts) return tell({ status: "skipped", reason: "alerts-disabled", indicatorType: "alert" });
    if (!noteAlert(tx, end.agentId, verdict.texts.join("\n\n"), now))
      return tell({ status: "skipped", reason: "duplicate" });
    inner.store(tx, { ...end, texts: verdict.texts, kind: "heartbeat" });
    const hasMedia = verdict.texts.some((text) => /^[ \t]*`?MEDIA:/m.test(text));
    tell({ status: "sent", indicatorType: "alert", ...(hasMedia ? { hasMedia } : {}) });
  }

  #tell(tx: Tx, end: RunEnd): void {
    const { note, heartbeats } = this.#o;
    const { hook } = end;
    if (!hook) return;
    const failed = end.state !== "ok";
    const said = failed ? (end.error ?? end.state) : (end.texts.at(-1)?.trim() ?? "");
    const summary = said.slice(0, summaryChars).toWellFormed() || "done";
    const agentId = /^agent:([^:]+):/.exec(hook.tellKey)?.[1];
    note(tx, hook.tellKey, `Hook ${hook.name}${failed ? " (error)" : ""}: ${summary}`, hook.wake);
    if (hook.wake) tx.afterCommit(() => heartbeats.wake(`hook:${hook.name}`, agentId));
  }
}
