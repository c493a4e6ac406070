/** `update.run`: says what kind of installation this is and what updates it. It changes nothing: a program that replaces its
 *  own files while it runs cannot promise that the next start works. */
import type { Handles } from "../kernel/call.ts";
import type { World } from "../kernel/world.ts";
import { updateAdvice, type Install } from "./install.ts";

export interface UpdateParts {
  /** Reads the installation as it is on disk now. */
  install: () => Install;
  /** Of the running program. */
  version: string;
  world: Pick<World, "now" | "monotonic">;
}

export const updateMethods = ({ install, version, world }: UpdateParts) =>
  ({
    "update.run": ({ sessionKey, note }) => {
      const startedAt = world.monotonic();
      const found = install();
      const reason = updateAdvice(found, version);
      const { kind: mode, root, commit } = found;
      const result = {
        status: "skipped" as const,
        mode,
        ...(root === undefined ? {} : { root }),
        before: { version, ...(commit === undefined ? {} : { commit }) },
        ...(found.version === undefined ? {} : { after: { version: found.version } }),
        reason,
        steps: [],
        durationMs: Math.round(world.monotonic() - startedAt),
      };
      const payload = {
        kind: "update" as const,
        status: "skipped" as const,
        ts: world.now(),
        ...(sessionKey === undefined ? {} : { sessionKey }),
        message: note ?? null,
        doctorHint: null,
        stats: { mode, reason },
      };
      return { ok: true as const, result, restart: null, sentinel: { path: null, payload } };
    },
  }) satisfies Handles<"update.run">;
