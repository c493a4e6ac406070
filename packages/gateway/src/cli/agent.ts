/** `agent`: one message, the reply streamed on a terminal, the final answer printed elsewhere (lifecycle.md §14.8). */
import { CommandError, UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { list, record, textOf, withGateway } from "./rpc.ts";
import type { Connected } from "./rpc.ts";
import { resolveTarget } from "./target.ts";
import { clean, ControlFilter } from "./terminal/clean.ts";

const defaultTimeoutSeconds = 600;

/** Prints assistant text as it comes. A message that starts anew begins on its own line. */
class Stream {
  readonly #write: (text: string) => void;
  #filter = new ControlFilter();
  #message = "";
  /** Everything printed, cleaned. */
  printed = "";

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  push(text: string): void {
    if (!text.startsWith(this.#message)) {
      if (this.#message.startsWith(text)) return; // An older state of the same message.
      this.endLine();
      this.#filter = new ControlFilter();
      this.#message = "";
    }
    const fresh = this.#filter.push(text.slice(this.#message.length));
    this.#message = text;
    this.printed += fresh;
    if (fresh) this.#write(fresh);
  }

  endLine(): void {
    if (this.printed === "" || this.printed.endsWith("\n")) return;
    this.printed += "\n";
    this.#write("\n");
  }
}

export async function run(context: Context): Promise<number> {
  const { io, options } = context;
  const message = options.text("message");
  if (!message) throw new UsageError("Message (--message) is required");
  if (!options.has("to") && !options.has("session-id") && !options.has("agent")) {
    throw new UsageError("Pass --to <E.164>, --session-id, or --agent to choose a session");
  }
  if (options.has("local")) {
    throw new CommandError(
      `--local is not offered: runs need the gateway. Start it with ${suggest(io.env, "gateway")}`,
    );
  }
  const wanted = options.integer("timeout", undefined);
  const { config } = await resolveTarget(options, io);
  const timeoutSeconds = wanted ?? config.agentTimeoutSeconds ?? defaultTimeoutSeconds;
  const timeoutMs = Math.max(10_000, (timeoutSeconds + 30) * 1000);
  const runId = io.uuid();
  const run = { runId, sessionKey: "" };
  const stream = io.stdout.isTTY && !context.json ? new Stream((text) => io.stdout.write(text)) : undefined;

  const answer = await withGateway(
    context,
    async ({ client }) => {
      run.sessionKey = defaultSessionKey(context, client.hello?.snapshot.sessionDefaults);
      if (options.has("verbose")) await keepVerbosity(context, { client }, run.sessionKey);
      client.onAny("agent", ({ payload }) => {
        const event = record(payload);
        if (event.runId !== runId) return;
        if (typeof event.sessionKey === "string") run.sessionKey = event.sessionKey;
        if (event.stream === "assistant") stream?.push(textOf(record(event.data).text));
      });
      return client.callAny(
        "agent",
        { message, idempotencyKey: runId, timeout: timeoutSeconds, ...choices(context) },
        {
          expectFinal: true,
          timeoutMs,
        },
      );
    },
    // The handshake has its own, shorter deadline: a gateway that is down is reported at once.
    { timeoutMs: 10_000, onInterrupt: (connected) => abort(connected, run) },
  ).catch((error: unknown) => {
    stream?.endLine();
    throw withAdvice(error, context);
  });
  return report(context, answer, stream);
}

function choices({ options }: Context): Record<string, unknown> {
  const given = {
    to: options.text("to"),
    sessionId: options.text("session-id"),
    agentId: options.text("agent"),
    thinking: options.text("thinking"),
    channel: options.text("channel"),
    replyTo: options.text("reply-to"),
    replyChannel: options.text("reply-channel"),
    replyAccountId: options.text("reply-account"),
    deliver: options.has("deliver") ? true : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The session an abort names until the first event tells the true one. */
function defaultSessionKey(
  context: Context,
  defaults: { mainKey: string; mainSessionKey: string } | undefined,
): string {
  const agent = context.options.text("agent");
  if (agent) return `agent:${agent}:${defaults?.mainKey ?? "main"}`;
  return defaults?.mainSessionKey ?? "main";
}

async function keepVerbosity(context: Context, { client }: Pick<Connected, "client">, mainKey: string): Promise<void> {
  const { options } = context;
  let key = mainKey;
  const sessionId = options.text("session-id");
  if (sessionId) key = textOf(record(await client.callAny("sessions.resolve", { sessionId })).key);
  else if (!options.has("agent")) throw new UsageError("--verbose needs --agent or --session-id to choose a session");
  await client.callAny("sessions.patch", { key, verboseLevel: options.text("verbose") });
}

/** Ctrl-C: the run is stopped, not only left alone. Bounded, and never fails: the program ends anyway. */
async function abort({ client }: Connected, run: { runId: string; sessionKey: string }): Promise<void> {
  if (client.state !== "connected") return;
  await client
    .callAny("chat.abort", { sessionKey: run.sessionKey, runId: run.runId }, { timeoutMs: 2_000 })
    .catch(() => undefined);
}

function withAdvice(error: unknown, { io }: Context): unknown {
  if (!(error instanceof CommandError) || !/unknown agent id/.test(error.message)) return error;
  return new CommandError(`${error.message}\nSee the agents with: ${suggest(io.env, "agents list")}`, error.extra);
}

function report(context: Context, answer: unknown, stream: Stream | undefined): number {
  const { status, summary, result } = record(answer);
  if (context.json) {
    context.printJson(answer);
    return status === "error" ? 1 : 0;
  }
  stream?.endLine();
  if (status === "error") throw new CommandError(`Error: ${textOf(summary) || "the run failed"}`);
  if (status === "accepted") {
    throw new CommandError("Error: the gateway accepted the message and gave no final answer; see openclaw sessions");
  }
  const lines = payloadLines(result);
  // What was streamed is not said twice.
  const fresh = stream ? lines.filter((line) => !stream.printed.includes(line.trim())) : lines;
  if (fresh.length > 0) context.print(...fresh);
  else if (!stream?.printed) context.print("No reply from agent.");
  return 0;
}

function payloadLines(result: unknown): string[] {
  return list(record(result).payloads).flatMap((payload) => {
    const { text, mediaUrl, mediaUrls } = record(payload);
    const media = new Set([...list(mediaUrls), mediaUrl].map(textOf).filter(Boolean));
    const said = clean(textOf(text)).trimEnd();
    return [...(said ? [said] : []), ...[...media].map((url) => `MEDIA:${clean(url).replaceAll("\n", "")}`)];
  });
}
