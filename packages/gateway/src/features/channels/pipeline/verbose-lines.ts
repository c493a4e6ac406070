/** What a direct chat sees of the tools of its run while `/verbose` is on (agent.md §13.3): a line per call, with `full` also what
 *  came back. Lines that come together are one message, so that the budgets are there for the answer. Nothing is written for a
 *  run that was stopped. */
import type { EventPayload } from "@openclaw/protocol";
import type { Timer } from "../../../kernel/world.ts";
import type { ReplyRoute } from "../../agents/index.ts";
import { cut } from "./envelope.ts";
import type { PipelineOptions } from "./ports.ts";
import { plainParts } from "./reply-parts.ts";

export type VerboseLinesOptions = Pick<
  PipelineOptions,
  "bus" | "config" | "world" | "store" | "agents" | "outbox" | "channel" | "sessions" | "log"
>;

interface Watched {
  route: ReplyRoute;
  sessionKey: string;
  full: boolean;
  lines: string[];
  messages: number;
  /** Monotonic. */
  acceptedAt: number;
  /** What was sent last: the same again says nothing new. */
  last: string;
  timer: Timer | undefined;
}

const gatherMs = 2_000;
/** In front of its turn. */
const longWaitMs = 2_000;
/** Of one run. */
const maxMessages = 20;
const maxLines = 20;
const maxArgChars = 120;
const maxOutputChars = 1_000;
const outputFence = "```";

export class VerboseLines {
  readonly #o: VerboseLinesOptions;
  /** Runs that are active. */
  readonly #byRun = new Map<string, Watched>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: VerboseLinesOptions) {
    this.#o = options;
  }

  start(): void {
    this.#unsubscribe ??= this.#o.bus.on("agent", (event) => this.#hear(event));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const runId of this.#byRun.keys()) this.end(runId);
  }

  /** A run was accepted. `asked` is the level of this message alone. */
  begin(runId: string, route: ReplyRoute, sessionKey: string, asked: string | undefined): void {
    const session = this.#o.sessions.get(sessionKey);
    const level = asked ?? session?.verboseLevel ?? this.#o.config.current.agents.defaults.verboseDefault;
    if (route.kind !== "direct" || (level !== "on" && level !== "full")) return;
    const full = level === "full";
    const acceptedAt = this.#o.world.monotonic();
    this.#byRun.set(runId, { route, sessionKey, full, lines: [], messages: 0, acceptedAt, last: "", timer: undefined });
  }

  end(runId: string): void {
    this.#byRun.get(runId)?.timer?.cancel();
    this.#byRun.delete(runId);
  }

  #hear({ runId, stream, data }: EventPayload<"agent">): void {
    const watched = this.#byRun.get(runId);
    if (!watched) return;
    // The answer begins: what was done before it stands before it.
    if (stream === "assistant") return this.#send(runId, watched);
    const waitedMs = this.#o.world.monotonic() - watched.acceptedAt;
    if (stream === "lifecycle" && (data as { phase?: unknown }).phase === "start" && waitedMs > longWaitMs)
      watched.lines.push(`⏳ waited ${Math.round(waitedMs / 1_000)} s for its turn`);
    if (stream !== "tool") return;
    const { phase, name, args, result } = data as { phase?: unknown; name?: unknown; args?: unknown; result?: unknown };
    if (phase === "start") watched.lines.push(`🛠️ ${String(name)}${shortly(args)}`);
    else if (phase === "result" && watched.full) watched.lines.push(...outputOf(result));
    else return;
    watched.lines.splice(0, Math.max(0, watched.lines.length - maxLines));
    watched.timer ??= this.#o.world.after(gatherMs, () => this.#send(runId, watched));
  }

  #send(runId: string, watched: Watched): void {
    watched.timer?.cancel();
    watched.timer = undefined;
    const text = watched.lines.splice(0).join("\n");
    if (text === "" || text === watched.last || watched.messages >= maxMessages) return;
    watched.last = text;
    watched.messages++;
    const { store, world, agents, outbox, channel, sessions, log } = this.#o;
    const { route, sessionKey } = watched;
    const session = sessions.get(sessionKey);
    if (session && !sessions.maySend(session)) return;
    const { accountId, chatId, kind, threadId } = route;
    const target = { chatId, kind, ...(threadId === undefined ? {} : { threadId }) };
    const parts = plainParts(channel(route.channel), accountId, target, text);
    if (parts.length === 0) return;
    const key = `verbose:${world.uuid()}`;
    const request = { key, family: "run-verbose", principal: "gateway", channel: route.channel, accountId };
    store
      .commit((tx) => {
        const run = agents.runs.live("channel", runId);
        if (run && !run.signal.aborted) outbox.insert(tx, { ...request, kind: "notice", parts, sessionKey });
      })
      .catch((error: unknown) => log.debug("a line about a tool could not be stored", { error }));
  }
}

/** The arguments in a few words. */
function shortly(args: unknown): string {
  if (typeof args !== "object" || args === null) return "";
  const words = Object.values(args)
    .filter((value) => typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    .map((value) => String(value).replace(/\s+/gu, " ").trim())
    .filter((word) => word !== "");
  return words.length === 0 ? "" : `: ${cut(words.join(" "), maxArgChars)}`;
}

function outputOf(result: unknown): string[] {
  const { content } = (result ?? {}) as { content?: unknown };
  const texts = (Array.isArray(content) ? content : []).flatMap((part: { text?: unknown }) =>
    typeof part.text === "string" ? [part.text] : [],
  );
  const text = cut(texts.join("\n").trim(), maxOutputChars);
  return text === "" ? [] : [`${outputFence}\n${text.replaceAll(outputFence, "'''")}\n${outputFence}`];
}
