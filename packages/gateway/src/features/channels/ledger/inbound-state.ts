/** The states of an inbound row and the moves between them (reliability.md §3.2). `running` is no column: a waiting row that
 *  names a run is in it. */
import type { InboundState } from "../inbound.ts";

export const inboundPhases = [
  "stored",
  "ignored",
  "command",
  "waiting",
  "running",
  "answered",
  "silent",
  "noticed",
  "dropped",
  "quarantined",
] as const;
export type InboundPhase = (typeof inboundPhases)[number];

/** What each phase may become. A row names its run from the acceptance of the run on, so one whose run never began may still
 *  be dropped. */
export const inboundTransitions: Readonly<Record<InboundPhase, readonly InboundPhase[]>> = {
  stored: ["ignored", "command", "waiting"],
  ignored: [],
  command: ["answered", "silent"],
  waiting: ["running", "dropped"],
  running: ["answered", "silent", "noticed", "dropped", "quarantined", "waiting"],
  answered: [],
  silent: [],
  noticed: [],
  dropped: [],
  quarantined: [],
};

/** The one judge of moves: false for every pair that is not listed. */
export const mayMoveInbound = (from: InboundPhase, to: InboundPhase): boolean => inboundTransitions[from].includes(to);

export const phaseOf = (state: InboundState, runRowId: number | undefined): InboundPhase =>
  state === "waiting" && runRowId !== undefined ? "running" : state;

/** The moves that one change of a row stands for: a row may enter a queue and its run in the same commit, and change from one
 *  run to the next. Empty when only fields change. */
export function stepsTo(from: InboundPhase, to: InboundPhase): InboundPhase[] {
  if (from === to && (to === "stored" || to === "waiting" || to === "command")) return [];
  return to === "running" && from !== "waiting" ? ["waiting", "running"] : [to];
}

export const isOpen = (state: InboundState): boolean =>
  state === "stored" || state === "command" || state === "waiting";
