/** The states of a run and the moves between them (reliability.md §3.3). A run that waits in its lane is `accepted`: whether
 *  it already stands in a lane is not durable knowledge. */
export const runStates = [
  "accepted",
  "running",
  "ok",
  "error",
  "timeout",
  "aborted",
  "interrupted",
  "expired",
] as const;
export type RunState = (typeof runStates)[number];
export type TerminalState = Exclude<RunState, "accepted" | "running">;

/** What each state may become. `running → accepted` happens only in recovery, for a run of a dead process without effects. */
export const transitions: Readonly<Record<RunState, readonly RunState[]>> = {
  accepted: ["running", "aborted", "expired"],
  running: ["ok", "error", "timeout", "aborted", "interrupted", "accepted"],
  ok: [],
  error: [],
  timeout: [],
  aborted: [],
  interrupted: [],
  expired: [],
};

export const isTerminal = (state: RunState): state is TerminalState => transitions[state].length === 0;

/** Returns `to`. Throws when the machine has no such move: that is a bug, never an input. */
export function moveTo<To extends RunState>(from: RunState, to: To): To {
  if (!transitions[from].includes(to)) throw new Error(`a run cannot go from ${from} to ${to}`);
  return to;
}
