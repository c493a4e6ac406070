/** What `gateway status` tells of the service: the definition on disk, what the manager says of it, the config it reads, and what
 *  is wrong with it. Looks only; nothing is started or changed. */
import { locateConfig } from "../config/locate.ts";
import type { LocatedConfig } from "../config/locate.ts";
import { VERSION } from "../kernel/version.ts";
import type { Issue, OpenedService, OtherService, ServiceState } from "../service/index.ts";
import type { Context } from "./command.ts";
import type { Io } from "./io.ts";
import { applyDotenv } from "./profile.ts";
import { rooms } from "./rooms.ts";

/** The config as the service resolves it. */
export interface ServiceConfig {
  config: LocatedConfig;
  /** `--port` of its words, else its variable, else the config. */
  port: number;
  /** Its words name the port. */
  fixed: boolean;
  /** The outside of a command that stood in the service's place. */
  io: Io;
}

export interface ServiceFacts {
  state: ServiceState;
  issues: readonly Issue[];
  others: readonly OtherService[];
  /** Version that wrote the definition. */
  version?: string;
  /** Absent when nothing is installed, or it does not run the gateway. */
  reads?: ServiceConfig;
  /** The definition of the same name in the other scope. */
  elsewhere?: string;
  /** WSL ends an idle distribution, and the service with it. */
  wsl: boolean;
}

/** The half that costs nothing: where the service is, and what it reads. Undefined on a system without any service manager. */
export async function openFacts({
  io,
  options,
}: Context): Promise<{ service: OpenedService; reads: ServiceConfig | undefined } | undefined> {
  const { openService, portOfCommand, ServiceError } = await rooms.service.load();
  let service: OpenedService;
  try {
    const scope = options.has("system") ? { scope: "system" as const } : {};
    service = openService({ world: await io.world(), ...io.machine, ...scope });
  } catch (error) {
    if (error instanceof ServiceError) return undefined;
    throw error;
  }
  const { command } = service.backend.definition();
  if (!command) return { service, reads: undefined };
  const env: Io["env"] = { ...command.environment };
  const home = env.HOME || io.homedir();
  const inside: Io = {
    ...io,
    env,
    homedir: () => home,
    cwd: () => command.workingDirectory ?? home,
  };
  applyDotenv(inside);
  const config = await locateConfig(inside);
  const port = portOfCommand(command);
  return { service, reads: { config, port: port ?? config.port, fixed: port !== undefined, io: inside } };
}

/** The half that asks the manager. */
export async function gatherFacts(
  opened: NonNullable<Awaited<ReturnType<typeof openFacts>>>,
  cli: LocatedConfig,
  deep: boolean,
): Promise<ServiceFacts> {
  const { auditService, isWsl, otherServices, programAt, sameNameElsewhere } = await rooms.service.load();
  const { service, reads } = opened;
  const state = await service.backend.look();
  const differs = reads !== undefined && reads.config.path !== cli.path;
  // Where commands look that are given no port: what a variable of this shell says is its own affair.
  const configPort = !reads || differs || cli.portSource === "env" ? undefined : cli.port;
  const issues = auditService(service, state, {
    version: VERSION,
    source: programAt(import.meta.dirname),
    ...(configPort === undefined ? {} : { configPort }),
    ...(differs ? { otherConfig: { service: reads.config.path, cli: cli.path } } : {}),
  });
  const version = state.command?.environment.OPENCLAW_SERVICE_VERSION;
  const elsewhere = sameNameElsewhere(service);
  return {
    state,
    issues,
    others: otherServices(service, deep),
    wsl: isWsl(service.machine),
    ...(version ? { version } : {}),
    ...(reads ? { reads } : {}),
    ...(elsewhere === undefined ? {} : { elsewhere }),
  };
}

/** Why a start on the service's config would be refused, in the gateway's own words. Loads every config section: asked only when
 *  the service ended that way. */
export async function startRefusal({ io, port }: ServiceConfig): Promise<string | undefined> {
  const { startProblem } = await rooms.judge.load();
  const world = await io.world();
  return startProblem({ port }, { ...world, env: io.env, homedir: io.homedir });
}
