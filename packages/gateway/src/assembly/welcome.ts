/** What a person reads after the start: where it listens, which model answers, how to talk to it. */
import { displayPath } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import type { Host } from "./host.ts";

export function welcome(host: Host, world: World): void {
  const { gateway, listener, endpoint } = host;
  const url = `ws://${endpoint.host}:${listener.port}`;
  const model = gateway.models.defaultModel();
  const profile = world.env.OPENCLAW_PROFILE ? ` --profile ${world.env.OPENCLAW_PROFILE}` : "";
  const command = `${world.env.OPENCLAW_COMMAND ?? "openclaw"}${profile}`;
  host.log.info(`agent model: ${model.api === "offline" ? `${model.ref} (no model configured: it repeats what you say)` : model.ref}`);
  host.log.info(`listening on ${url} (PID ${world.pid})`);
  host.log.info(`log file: ${displayPath(host.logFile(), world)}`);
  host.log.info(`talk to it: ${command} agent --agent ${gateway.defaultAgentId()} --message "hello"`);
}
