/** What the config methods need of the process around them: a way to ask for a restart, and a place for the note that is
 *  read after it (lifecycle.md §6.2, §7.6). */

export interface RestartRequest {
  /** Time before the restart begins; the caller's own answer goes out first. Default 2,000. */
  delayMs?: number;
  /** For the log, the `shutdown` event and the sentinel: `config.apply`, `config.patch`, … */
  reason: string;
  /** For the person or agent that asked. */
  note?: string;
  /** The session that is told how it went. */
  sessionKey?: string;
}

export interface RestartAnswer {
  ok: true;
  pid: number;
  signal: "SIGUSR1";
  delayMs: number;
  reason: string;
  /** `emit`: the process restarts itself; `signal`: it is told from outside. */
  mode: "emit" | "signal";
  /** True when a restart was already on its way and this one joined it. */
  coalesced?: boolean;
}

export interface RestartPort {
  /** Plans one restart in process; requests that arrive while one is planned join it. */
  request(options: RestartRequest): RestartAnswer;
}

/** Left behind before a restart, read once after it (lifecycle.md §7.6). */
export interface RestartSentinel {
  kind: "config-apply" | "config-patch" | "restart" | "update";
  status: "ok" | "error" | "skipped";
  ts: number;
  sessionKey?: string;
  message?: string | null;
  doctorHint?: string | null;
  stats?: Record<string, unknown>;
}

export interface SentinelPort {
  /** Durable when it resolves: a row of the store. The path names the store. */
  write(sentinel: RestartSentinel): Promise<{ path: string | null; payload: RestartSentinel }>;
}
