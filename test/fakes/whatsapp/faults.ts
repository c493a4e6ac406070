/** What goes wrong next. The parts of the server ask; `Faults` of the API tells. */
import type { Faults } from "./api.ts";
import { el } from "./node.ts";
import type { Session } from "./session.ts";

type Once =
  | "failure"
  | "noSuccess"
  | "stallHandshake"
  | "badCertificate"
  | "refuseUpgrade"
  | "dropAck"
  | "refuseMessage"
  | "dropBefore"
  | "dropAfter"
  | "unreadable"
  | "duplicate"
  | "loseReceipt";

export class FaultState {
  readonly muted = new Set<string>();
  ackDelayMs = 0;
  cut = false;
  mediaStatus: number | undefined;
  reorder: { count: number; held: (() => void)[] } | undefined;
  private readonly next = new Map<Once, number[]>();

  arm(name: Once, times = 1, value = 1): void {
    const waiting = this.next.get(name) ?? [];
    waiting.push(...Array.from({ length: times }, () => value));
    this.next.set(name, waiting);
  }

  /** Uses one up: its value, or undefined when none is armed. */
  take(name: Once): number | undefined {
    return this.next.get(name)?.shift();
  }

  /** Runs `write` now, or newest first once enough are held. */
  ordered(write: () => void): void {
    if (!this.reorder) return write();
    this.reorder.held.unshift(write);
    if (this.reorder.held.length < this.reorder.count) return;
    const { held } = this.reorder;
    this.reorder = undefined;
    for (const late of held) late();
  }

  clear(): void {
    this.next.clear();
    this.muted.clear();
    this.ackDelayMs = 0;
    this.cut = false;
    this.mediaStatus = undefined;
    const held = this.reorder?.held ?? [];
    this.reorder = undefined;
    for (const late of held) late();
  }
}

/** A stream error as the server words it. */
export function streamError(error: { code?: number; conflict?: "replaced" | "device_removed" } = {}) {
  const code = error.code ?? (error.conflict === "device_removed" ? 401 : undefined);
  const reason = error.conflict && el("conflict", { type: error.conflict });
  return el("stream:error", { code }, [reason]);
}

export function faultApi(state: FaultState, sessions: ReadonlySet<Session>): Faults {
  const all = (act: (session: Session) => void) => {
    for (const session of sessions) act(session);
  };
  const error = (options?: Parameters<typeof streamError>[0]) => all((session) => session.end(streamError(options)));
  return {
    clear: async () => {
      state.clear();
      all((session) => session.silence(false));
    },
    failure: async (reason, options = {}) => {
      if (options.now) all((session) => session.end(el("failure", { reason, location: "fake" })));
      else state.arm("failure", options.times, reason);
    },
    streamError: async (options) => error(options),
    kickReplaced: async () => error({ conflict: "replaced" }),
    streamEnd: async () => all((session) => session.end(el("xmlstreamend"))),
    downgrade: async () => all((session) => session.end(el("ib", {}, [el("downgrade_webclient")]))),
    dropTcp: async () => all((session) => session.reset()),
    cutNetwork: async (on = true) => {
      state.cut = on;
      if (on) all((session) => session.reset());
    },
    closeSocket: async () => all((session) => session.close()),
    noSuccess: async (times) => state.arm("noSuccess", times),
    stallHandshake: async (times) => state.arm("stallHandshake", times),
    badCertificate: async (times) => state.arm("badCertificate", times),
    silentPings: async (on = true) => all((session) => session.silence(on)),
    refuseUpgrade: async (status, times) => state.arm("refuseUpgrade", times, status),
    muteQuery: async (name) => void state.muted.add(name),
    slowAcks: async (ms) => void (state.ackDelayMs = ms),
    dropAcks: async (times) => state.arm("dropAck", times),
    refuseMessage: async (code, times) => state.arm("refuseMessage", times, code),
    dropOnMessage: async (when, times) => state.arm(when === "before" ? "dropBefore" : "dropAfter", times),
    peersCannotRead: async (times) => state.arm("unreadable", times),
    loseReceipts: async (times) => state.arm("loseReceipt", times),
    duplicateInbound: async (times) => state.arm("duplicate", times),
    reorderInbound: async (count) => void (state.reorder = { count, held: [] }),
    mediaStatus: async (status) => void (state.mediaStatus = status),
  };
}
