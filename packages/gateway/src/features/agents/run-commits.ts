/** The two commits that frame a run: its beginning with the user message, its end with reply, usage and outcome (R-DB-7). */
import { emptyUsage, type Message, messageText } from "@openclaw/protocol";
import type { ToolDetail } from "../../kernel/bus.ts";
import type { Tx } from "../../store/store.ts";
import type { ClientRequest } from "./client-admission.ts";
import { injectedMessage, lostResult, toolCallsOf } from "./context.ts";
import type { RunEnd } from "./delivery.ts";
import type { Ending } from "./ending.ts";
import type { EndedRun, LiveRun } from "./live-run.ts";
import type { RunOutcome } from "./outcome.ts";
import { usageFooter, withPrefix } from "./reply-text.ts";
import type { RunRequest } from "./request.ts";
import type { TurnDeps } from "./turn-deps.ts";

interface Opened {
  startedAt: number;
  sessionId: string;
  userEntryId: string | undefined;
  request: RunRequest;
  toolDetail: ToolDetail;
}

/** The run leaves its queue: notes for the prompt and the user message enter the transcript, the row becomes `running`. A run
 *  that begins again after a crash finds its message there already. */
export async function openRun(run: LiveRun, startedAt: number, deps: TurnDeps): Promise<Opened> {
  const { store, sessions, table } = deps;
  // A run that begins again has its prompt in the transcript: what waits now is for the next one.
  const takes = run.sessionKey !== "" && !run.request.command && run.userEntryId === undefined;
  const events = takes ? deps.drainSystemEvents(run.sessionKey) : [];
  const begin = (tx: Tx): Opened => {
    let sessionId = "";
    let userEntryId = run.userEntryId;
    let toolDetail: ToolDetail = "off";
    if (run.sessionKey) {
      let session = sessions.ensure(tx, run.sessionKey);
      if (userEntryId === undefined) {
        if (run.request.fresh) session = sessions.rollover(tx, run.sessionKey, "new");
        else if (!run.request.command && !run.request.background && sessions.isStale(session, startedAt))
          session = sessions.rollover(tx, run.sessionKey, "daily");
        for (const { kept } of events) kept?.told(tx);
        const notes = events.map(({ ts, text }) => `System: [${new Date(ts).toISOString()}] ${text}`);
        if (session.abortedLastRun && !run.request.command)
          notes.unshift("System: The previous run was stopped by the user before it was finished.");
        if (notes.length > 0) {
          sessions.append(tx, run.sessionKey, {
            type: "custom_message",
            customType: "system-events",
            content: notes.join("\n"),
            display: false,
          });
        }
        // A command and its answer are stored together when it is done.
        if (!run.request.command) userEntryId = appendMessage(tx, run, deps);
        sessions.update(tx, run.sessionKey, {
          ...(run.request.background ? {} : { lastInteractionAt: startedAt }),
          ...(run.request.command ? {} : { abortedLastRun: undefined }),
          ...(run.request.sessionModel
            ? { providerOverride: run.request.sessionModel.provider, modelOverride: run.request.sessionModel.id }
            : {}),
        });
      }
      sessionId = session.sessionId;
      toolDetail = detailOf(
        run.request.verbose ?? session.verboseLevel ?? deps.config.current.agents.defaults.verboseDefault,
      );
    }
    const request = userEntryId === undefined ? run.request : { ...run.request, message: "", images: [] };
    table.begin(tx, run.id, { sessionId, startedAt, userEntryId, request });
    return { startedAt, sessionId, userEntryId, request, toolDetail };
  };
  try {
    return await store.commit(begin);
  } catch (error) {
    // They are told to the next run instead.
    for (const { text, kept } of events) {
      if (kept) kept.back();
      else deps.queueSystemEvent(run.sessionKey, text);
    }
    throw error;
  }
}

function appendMessage(tx: Tx, run: LiveRun, deps: TurnDeps): string | undefined {
  const { message, images, client } = run.request;
  const answered = client && appendResults(tx, run, client, deps);
  if (message === "" && images.length === 0) return answered;
  const content = [...(message === "" ? [] : [{ type: "text" as const, text: message }]), ...images];
  return deps.sessions.append(tx, run.sessionKey, {
    type: "message",
    message: { role: "user", content, timestamp: run.acceptedAt },
  }).id;
}

/** Results of the calls with which an earlier run handed over to the client. Returns the id of the last one. */
function appendResults(tx: Tx, run: LiveRun, { results }: ClientRequest, deps: TurnDeps): string | undefined {
  let last: string | undefined;
  for (const { callId, name, content } of results) {
    const message = {
      role: "toolResult" as const,
      toolCallId: callId,
      toolName: name,
      content,
      isError: false,
      timestamp: run.acceptedAt,
    };
    last = deps.sessions.append(tx, run.sessionKey, { type: "message", message }).id;
  }
  return last;
}

const detailOf = (level: string): ToolDetail => (level === "on" || level === "full" ? level : "off");

/** The run is over: what is left to say enters the transcript, totals and outcome change, in one commit. */
export async function storeEnding(run: LiveRun, ending: Ending, endedAt: number, deps: TurnDeps): Promise<EndedRun> {
  const { store, sessions, table } = deps;
  const footer = usageFooter(run, ending, deps);
  const outcome = outcomeOf(run, ending, endedAt, footer, deps);
  const messages = [...cutOff(run, ending, endedAt), ...(ending.messages ?? refusal(run, ending, endedAt))];
  await store.commit((tx) => {
    // A run that ended while it began has its message in the transcript by now, whatever it knows itself.
    const row = table.byId(run.id, tx);
    let userEntryId = row?.userEntryId;
    ending.write?.(tx);
    const session = run.sessionKey ? sessions.get(run.sessionKey) : undefined;
    if (
      session &&
      (userEntryId === undefined || session.sessionId === (row?.sessionId ?? run.sessionId) || ending.command)
    ) {
      userEntryId ??= appendMessage(tx, run, deps);
      for (const message of messages) sessions.append(tx, run.sessionKey, { type: "message", message });
      const aborted = ending.state === "aborted" && ending.reason !== "shutdown" ? { abortedLastRun: true } : {};
      sessions.update(tx, run.sessionKey, { ...ending.session, ...aborted });
    }
    if (!row) return;
    table.end(tx, row.id, { state: ending.state, endedAt, outcome, userEntryId });
    deps.endings?.()?.store(tx, toldEnd(run, ending, footer, deps));
  });
  return {
    runId: run.runId,
    outcome,
    footer,
    endedAt,
    ending,
    ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }),
  };
}

/** Fetches what the answer for a chat names, while the run is still live. */
export async function prepareEnding(run: LiveRun, ending: Ending, deps: TurnDeps): Promise<Ending> {
  const { route, agentId } = run.request;
  const prepare = deps.endings?.()?.prepare;
  if (!route || !prepare || ending.state !== "ok" || run.over) return ending;
  const texts = ending.raw ?? ending.texts ?? [];
  return { ...ending, prepared: await prepare({ runId: run.runId, agentId, route, texts, signal: run.signal }) };
}

function toldEnd(run: LiveRun, ending: Ending, footer: string, deps: TurnDeps): RunEnd {
  const { route, agentId } = run.request;
  return {
    id: run.id,
    runId: run.runId,
    family: run.family,
    sessionKey: run.sessionKey,
    agentId,
    state: ending.state,
    started: run.startedAt !== undefined,
    command: ending.command === true || run.request.command !== undefined,
    texts: ending.raw ?? ending.texts ?? [],
    finish: (text, add) =>
      (add.prefix && !ending.command ? withPrefix(text, run, ending, deps) : text) + (add.footer ? footer : ""),
    prepared: ending.prepared,
    ...(route ? { route } : {}),
    ...(run.request.hook ? { hook: run.request.hook } : {}),
    ...(ending.reason ? { reason: ending.reason } : {}),
    ...(ending.error === undefined ? {} : { error: ending.error }),
  };
}

/** A command that failed is answered in the transcript too, so that it is never taken for a message to the model. */
function refusal(run: LiveRun, ending: Ending, timestamp: number): Message[] {
  return run.request.command ? [injectedMessage(ending.error ?? "Stopped.", timestamp, { command: true })] : [];
}

/** What a run that was cut off had said and done so far. */
function cutOff(run: LiveRun, ending: Ending, timestamp: number): Message[] {
  const { batch, partial } = run;
  if (ending.state === "ok" || ending.state === "error") return [];
  if (batch) {
    const results = toolCallsOf(batch.message).map(
      (call) =>
        batch.results.get(call.id) ??
        lostResult(
          call,
          timestamp,
          "The run was stopped before this tool finished; what it did until then is unknown.",
        ),
    );
    return [batch.message, ...results];
  }
  if (!partial || partial.text.trim() === "") return [];
  const { text, api, provider, model } = partial;
  return [
    {
      role: "assistant",
      content: [{ type: "text", text }],
      api,
      provider,
      model,
      usage: emptyUsage(),
      stopReason: "aborted",
      timestamp,
    },
  ];
}

function outcomeOf(run: LiveRun, ending: Ending, endedAt: number, footer: string, deps: TurnDeps): RunOutcome {
  const { usage, provider = run.partial?.provider ?? "", model = run.partial?.model ?? "" } = ending;
  const total = usage && {
    input: usage.input,
    output: usage.output,
    cacheRead: usage.cacheRead,
    cacheWrite: usage.cacheWrite,
    total: usage.totalTokens,
  };
  const texts = ending.command
    ? (ending.texts ?? [])
    : (ending.texts ?? []).map((text) => withPrefix(text, run, ending, deps));
  const payloads = [...texts.slice(0, -1), ...texts.slice(-1).map((text) => text + footer)].map((text) => ({
    text,
    mediaUrl: null,
  }));
  const told =
    ending.state === "ok" || (ending.state === "aborted" && ending.reason !== "shutdown")
      ? "ok"
      : ending.state === "timeout"
        ? "timeout"
        : "error";
  return {
    status: told,
    summary:
      told === "ok" ? (ending.state === "aborted" ? "aborted" : "completed") : (ending.error ?? "The run failed."),
    payloads,
    meta: {
      durationMs: Math.max(0, endedAt - (run.startedAt ?? run.acceptedAt)),
      agentMeta: { sessionId: run.sessionId, provider, model, ...(total ? { usage: total } : {}) },
      aborted: ending.state === "aborted",
    },
  };
}

/** The reply of a command: what was typed and what was answered, to be stored together. */
export const commandEnding = (
  text: string,
  timestamp: number,
): Pick<Ending, "state" | "command" | "messages" | "texts" | "finalText" | "provider" | "model"> => {
  const message = injectedMessage(text, timestamp, { command: true });
  const said = messageText(message);
  return {
    state: "ok",
    command: true,
    messages: [message],
    texts: said === "" ? [] : [said],
    ...(said === "" ? {} : { finalText: said }),
    provider: message.provider,
    model: message.model,
  };
};
