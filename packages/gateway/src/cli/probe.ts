/** Asking one address whether a gateway is there. Never throws for a gateway that is not; Ctrl-C throws Interrupted. */
import { ClosedError, RequestError } from "@openclaw/client";
import type { Hello } from "@openclaw/client";
import { Interrupted } from "./command.ts";
import type { Io } from "./io.ts";
import { createClient, record, textOf } from "./rpc.ts";
import { shownAddress } from "./target.ts";
import type { Target } from "./target.ts";

export interface Probe {
  url: string;
  ok: boolean;
  latencyMs: number | null;
  error: string | null;
  close: { code: number; reason: string } | null;
  hello?: Hello;
  /** Answers by method; a method that failed is absent. */
  answers: Readonly<Record<string, unknown>>;
}

/** Connects and calls `methods` at once, all inside `timeoutMs`. */
export async function probe(
  target: Target,
  io: Io,
  timeoutMs: number,
  methods: Readonly<Record<string, Record<string, unknown>>>,
): Promise<Probe> {
  const startedAt = io.monotonic();
  const answers: Record<string, unknown> = {};
  let client: ReturnType<typeof createClient> | undefined;
  let interrupted = false;
  const release = io.onInterrupt(() => {
    interrupted = true;
    client?.stop();
  });
  try {
    client = createClient(target, io, timeoutMs, "probe");
    const hello = await client.connect();
    const latencyMs = Math.round(io.monotonic() - startedAt);
    const leftMs = Math.max(1, timeoutMs - latencyMs);
    const { callAny } = client;
    const ask = callAny.bind(client);
    await Promise.all(
      Object.entries(methods).map(async ([method, params]) => {
        try {
          answers[method] = await ask(method, params, { timeoutMs: leftMs });
        } catch (error) {
          // Without the scope, or an older gateway: this part stays unknown. A lost connection ends the probe.
          if (!(error instanceof RequestError)) throw error;
        }
      }),
    );
    return { url: shownAddress(target.url), ok: true, latencyMs, error: null, close: null, hello, answers };
  } catch (error) {
    if (interrupted) throw new Interrupted();
    const close = error instanceof ClosedError ? { code: error.code, reason: error.reason } : null;
    const message = error instanceof Error ? error.message : String(error);
    return { url: shownAddress(target.url), ok: false, latencyMs: null, error: message, close, answers };
  } finally {
    release();
    client?.stop();
  }
}

/** The gateway's own presence entry: who answered. */
export function selfOf({ hello, answers }: Probe): Record<string, string | null> | null {
  if (!hello) return null;
  const presence = Array.isArray(answers["system-presence"]) ? answers["system-presence"] : hello.snapshot.presence;
  const own = record(presence.find((entry) => record(entry).mode === "gateway" || record(entry).reason === "self"));
  return {
    host: textOf(own.host) || (hello.server.host ?? null),
    ip: textOf(own.ip) || null,
    version: textOf(own.version) || hello.server.version,
    platform: textOf(own.platform) || null,
  };
}
