/** The health endpoints (http.md §5, settled.md 15): matched before everything, so that they work while the rest is
 *  starting or draining. They do no work and touch nothing. */

export type Phase = "starting" | "ready" | "draining";

export interface ProbeFacts {
  phase: Phase;
  uptimeMs: number;
  version?: string;
  /** What is known bad, as `<channel>/<account>`; only for privileged callers. */
  failing: readonly string[];
}

type Probe = "health" | "startup" | "ready";

const probes: ReadonlyMap<string, Probe> = new Map([
  ["/health", "health"],
  ["/healthz", "health"],
  ["/startup", "startup"],
  ["/startupz", "startup"],
  ["/ready", "ready"],
  ["/readyz", "ready"],
]);

export const isProbe = (path: string): boolean => probes.has(path);

/** Status and body of a probe. `privileged`: the caller is local-direct or authenticated and sees details. */
export function answerProbe(
  path: string,
  facts: ProbeFacts,
  privileged: boolean,
): { status: number; body: Record<string, unknown> } {
  const { phase, uptimeMs, version, failing } = facts;
  switch (probes.get(path)) {
    case "startup": {
      const started = phase === "ready";
      return {
        status: started ? 200 : 503,
        body: {
          ok: started,
          status: started ? "started" : phase,
          ...(privileged ? { ...(version === undefined ? {} : { version }), uptimeMs } : {}),
          ...(privileged && phase === "starting" ? { pendingReason: "starting" } : {}),
        },
      };
    }
    case "ready": {
      const ready = phase === "ready" && failing.length === 0;
      return { status: ready ? 200 : 503, body: privileged ? { ready, failing, uptimeMs } : { ready } };
    }
    default:
      return { status: 200, body: { ok: true, status: "live" } };
  }
}
