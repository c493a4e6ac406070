/** `gateway`: an agent looks after the gateway it runs in — its config, a restart, the state of the installation. What it does
 *  is the same as the methods of that name; nothing it returns contains a secret (agent.md §4.8, lifecycle.md §6.2). */
import type { MethodParams, MethodResult } from "@openclaw/protocol";
import { Type } from "typebox";
import type { World } from "../../kernel/world.ts";
import { errorResult, textResult, tool, type Tool } from "./tool.ts";

export interface GatewayRestart {
  sessionKey: string;
  reason?: string;
  note?: string;
  delayMs?: number;
}

/** What the tool can do, handed in by the assembly. Each may throw; the text becomes the tool's error. */
export interface GatewayPort {
  /** `commands.restart`. Read at use. */
  restartAllowed(): boolean;
  /** Leaves the note, then plans the restart; runs that are active end first. */
  restart(request: GatewayRestart): Promise<object>;
  configGet(): MethodResult<"config.get">;
  configSchema(): MethodResult<"config.schema">;
  configApply(params: MethodParams<"config.apply">): Promise<MethodResult<"config.apply">>;
  configPatch(params: MethodParams<"config.patch">): Promise<MethodResult<"config.patch">>;
  updateRun(params: MethodParams<"update.run">): Promise<MethodResult<"update.run">>;
}

/** Of restarts and config changes together: a model that tries again and again must not keep the gateway restarting. */
export const gatewayToolLimit = { calls: 3, perMs: 60_000 } as const;
const maxDelayMs = 60_000;

const params = Type.Object(
  {
    action: Type.Enum(["restart", "config.get", "config.schema", "config.apply", "config.patch", "update.run"]),
    raw: Type.Optional(
      Type.String({ description: "config.apply: the whole file as JSON5. config.patch: a merge patch; null removes." }),
    ),
    baseHash: Type.Optional(Type.String({ description: "hash of the last config.get." })),
    sessionKey: Type.Optional(Type.String({ description: "Who is told after the restart. Default: this session." })),
    note: Type.Optional(Type.String({ maxLength: 8_000, description: "What to remember after the restart." })),
    reason: Type.Optional(Type.String({ maxLength: 200 })),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: maxDelayMs, description: "restart: default 2000." })),
    restartDelayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: maxDelayMs })),
  },
  { additionalProperties: false },
);

export function gatewayTool(port: GatewayPort, world: Pick<World, "monotonic">): Tool {
  const changes: number[] = [];
  /** Ms until the next change is allowed; 0 takes it. */
  const waitMs = (): number => {
    const now = world.monotonic();
    while (changes[0] !== undefined && now - changes[0] >= gatewayToolLimit.perMs) changes.shift();
    if (changes.length >= gatewayToolLimit.calls) return gatewayToolLimit.perMs - (now - (changes[0] ?? now));
    changes.push(now);
    return 0;
  };
  return tool({
    name: "gateway",
    description:
      "Looks after this gateway: config.get, config.schema, config.patch (merge), config.apply (replace), restart, update.run. Changes need the hash of config.get as baseHash.",
    params,
    effects: true,
    ownerOnly: true,
    async run(given, context) {
      const { action, sessionKey = context.sessionKey, raw, note } = given;
      if (action === "config.get") return json(view(port.configGet()));
      if (action === "config.schema") return json(port.configSchema());
      if (action === "restart" && !port.restartAllowed())
        return errorResult("Restarts are switched off. The owner can allow them with commands.restart=true.");
      const wait = waitMs();
      if (wait > 0)
        return errorResult(
          `gateway: at most ${gatewayToolLimit.calls} changes a minute; the next one in ${Math.ceil(wait / 1_000)} s.`,
        );
      const told = { sessionKey, ...(note === undefined ? {} : { note }) };
      if (action === "restart") return json(await port.restart({ ...told, ...optional(given) }));
      const restartDelayMs = given.restartDelayMs ?? given.delayMs;
      const later = { ...told, ...(restartDelayMs === undefined ? {} : { restartDelayMs }) };
      if (action === "update.run") return json((await port.updateRun(later)).result);
      if (raw === undefined) return errorResult(`gateway: ${action} needs raw, the config as JSON5 text.`);
      const change = { raw, ...later, ...(given.baseHash === undefined ? {} : { baseHash: given.baseHash }) };
      const { path, restart } =
        action === "config.apply" ? await port.configApply(change) : await port.configPatch(change);
      return json({ ok: true, path, restart: restart ?? "not needed; applied while running" });
    },
  });
}

const json = (value: unknown) => textResult(JSON.stringify(value));

/** What a model needs to change the file: its text and hash, not the same values three times over. */
function view({ path, exists, valid, hash, raw, issues, warnings }: MethodResult<"config.get">): object {
  return { path, exists, valid, hash, raw, issues, warnings };
}

const optional = ({
  reason,
  delayMs,
}: {
  reason?: string;
  delayMs?: number;
}): { reason?: string; delayMs?: number } => ({
  ...(reason === undefined ? {} : { reason }),
  ...(delayMs === undefined ? {} : { delayMs }),
});
