/** States of a channel account and the pairs that are legal (reliability.md §3.6). One field says all: no flag beside it. */

export type AccountState =
  | "disabled"
  | "unconfigured"
  | "starting"
  | "linking"
  | "connecting"
  | "open"
  | "backoff"
  | "terminal"
  | "held"
  | "stopping"
  | "stopped";

const next: Record<AccountState, readonly AccountState[]> = {
  stopped: ["starting", "disabled", "unconfigured", "held"],
  disabled: ["stopping"],
  unconfigured: ["stopping"],
  held: ["stopping"],
  starting: ["connecting", "linking", "open", "backoff", "terminal", "stopping"],
  linking: ["connecting", "open", "backoff", "terminal", "stopping"],
  connecting: ["open", "backoff", "terminal", "stopping", "connecting"],
  open: ["connecting", "backoff", "terminal", "stopping"],
  backoff: ["connecting", "stopping"],
  terminal: ["starting", "stopping"],
  stopping: ["stopped"],
};

export const accountStates = Object.keys(next) as AccountState[];

export const mayMove = (from: AccountState, to: AccountState): boolean => next[from].includes(to);

/** A state that must not last: what hangs there is cut off (invariant A5). */
export const isTransient = (state: AccountState): boolean =>
  state === "starting" || state === "connecting" || state === "stopping";
