/** What agents and chat commands may do to the gateway they run in: the effects behind the `gateway` tool, `/restart` and
 *  `/config`. The same methods serve clients on the wire. */
import type { MethodParams, MethodResult } from "@openclaw/protocol";
import type { configMethods, RestartPort, SentinelPort } from "../config/index.ts";
import type { GatewayPort, GatewayRestart } from "../features/tools/index.ts";
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";

export interface SelfCareParts {
  world: Pick<World, "now" | "env">;
  config: { readonly current: { commands: { restart: boolean } } };
  methods: ReturnType<typeof configMethods>;
  update: (params: MethodParams<"update.run">) => MethodResult<"update.run">;
  restarts: RestartPort;
  sentinel: SentinelPort;
}

export function selfCare(parts: SelfCareParts): GatewayPort {
  const { methods, world } = parts;
  return {
    restartAllowed: () => parts.config.current.commands.restart,
    configGet: () => methods["config.get"](),
    configSchema: () => methods["config.schema"](),
    configApply: (params) => methods["config.apply"](params),
    configPatch: (params) => methods["config.patch"](params),
    updateRun: async (params) => parts.update(params),
    // The note first: a restart without it would leave somebody waiting.
    async restart({ sessionKey, note, reason = "gateway.restart", delayMs }: GatewayRestart) {
      await parts.sentinel.write({
        kind: "restart",
        status: "ok",
        ts: world.now(),
        sessionKey,
        message: note ?? null,
        doctorHint: `Run: ${commandLine(world, "doctor --non-interactive")}`,
        stats: { mode: "gateway.restart", reason },
      });
      return parts.restarts.request({ reason, sessionKey, ...(delayMs === undefined ? {} : { delayMs }) });
    },
  };
}
