/** Commands that act on the session itself: /new, /reset, /stop, /compact. */
import { GatewayError } from "@openclaw/protocol";
import { compactSession } from "../compact-session.ts";
import { modelOf } from "../turn.ts";
import type { Command, CommandCall, CommandReply } from "./command.ts";

/** Only reached without a model that could greet; otherwise the message becomes a run in a new session. */
function startOver({ deps, run }: CommandCall): CommandReply {
  return {
    text: "A new session begins. What is to be done?",
    write: (tx) => {
      deps.sessions.ensure(tx, run.sessionKey);
      deps.sessions.rollover(tx, run.sessionKey, run.request.command?.name === "reset" ? "reset" : "new");
    },
  };
}

async function stop({ run, abortSession }: CommandCall): Promise<CommandReply> {
  const stopped = await abortSession(run.sessionKey);
  return { text: stopped.length === 0 ? "There is nothing to stop." : stopText(stopped.length) };
}

export const stopText = (count: number): string =>
  `⚙️ Agent was aborted.${count > 1 ? ` ${count - 1} waiting message(s) were dropped.` : ""}`;

async function compact({ run, deps, args, session }: CommandCall): Promise<CommandReply> {
  const model = modelOf(deps, run.request.agentId, session);
  const { keepRecentTokens } = deps.config.current.agents.defaults.compaction;
  const keepTokens = Math.min(
    keepRecentTokens,
    Math.floor((session?.totalTokens ?? 0) / 2),
    Math.floor(model.contextWindow / 4),
  );
  let problem: unknown;
  const done = await compactSession(run, { model, keepTokens }, deps, {
    willRetry: false,
    silent: true,
    ...(args ? { focus: args } : {}),
    failure: (error) => {
      problem = error;
    },
  });
  if (problem)
    throw problem instanceof GatewayError
      ? problem
      : new GatewayError("unavailable", "The conversation could not be summarised; the log has the details.");
  return {
    text: done
      ? `Compacted: about ${done.tokensBefore} tokens became a summary and the newest messages.`
      : "There is nothing to compact yet.",
  };
}

export const sessionCommands: Command[] = [
  { name: "new", args: "[model] [message]", summary: "Begin a new session.", inLane: true, run: startOver },
  { name: "reset", args: "[model] [message]", summary: "The same as /new.", inLane: true, run: startOver },
  { name: "stop", summary: "Stop the run of this session.", run: stop },
  {
    name: "compact",
    args: "[what matters]",
    summary: "Summarise the conversation so far.",
    inLane: true,
    run: compact,
  },
];
