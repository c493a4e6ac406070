/** What a person reads after the start: where it listens, which model answers, how to talk to it. */
import { displayPath, profileName } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import type { Host } from "./host.ts";
import { derivePorts } from "./ports.ts";

export function welcome(host: Host, world: World): void {
  const { gateway, listener } = host;
  const model = gateway.models.defaultModel();
  const name = profileName(world);
  const flag = name === undefined ? "" : name === "dev" ? " --dev" : ` --profile ${name}`;
  const command = `${world.env.OPENCLAW_COMMAND ?? "openclaw"}${flag}`;
  host.log.info(
    `agent model: ${model.api === "offline" ? `${model.ref} (no model configured: it repeats what you say)` : model.ref}`,
  );
  host.log.info(`listening on ${listener.url} (PID ${world.pid})`);
  const ports = derivePorts(listener.port, Number(world.env.OPENCLAW_CANVAS_HOST_PORT) || undefined);
  host.log.debug(
    `ports kept for helpers: browser ${ports.browserControl}, canvas ${ports.canvas}, driven browsers ${ports.cdp.join("-")}`,
  );
  host.log.info(`log file: ${displayPath(host.logFile(), world)}`);
  if (gateway.config.current.gateway.controlUi.enabled) host.log.info(`open it in a browser: ${command} dashboard`);
  host.log.info(`talk to it: ${command} agent --agent ${gateway.defaultAgentId()} --message "hello"`);
}
