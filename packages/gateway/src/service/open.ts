/** Chooses the back-end of this machine and the scope that is meant. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { accounts, machineOf, unitFolder, type Machine } from "./machine.ts";
import { Launchd } from "./launchd.ts";
import { serviceNames, type ServiceNames } from "./names.ts";
import { Systemd } from "./systemd.ts";
import { ServiceError, type Scope, type ServiceBackend } from "./types.ts";
import { WindowsTask } from "./windows.ts";

export interface OpenOptions {
  world: World;
  /** Absent: the user service when there is one, else an installed system service, else the user service. */
  scope?: Scope;
  /** Folder that stands for `/`; tests have their own. */
  root?: string;
  uid?: number;
  /** On Windows: a scheduled task is wanted, not WSL2. */
  native?: boolean;
}

export interface OpenedService {
  world: World;
  /** As the service will see it: of a system service, with the home of its account. */
  serviceWorld: World;
  machine: Machine;
  names: ServiceNames;
  backend: ServiceBackend;
  /** Account of a system service. */
  user?: string;
}

/** Throws ServiceError where no back-end exists. */
export function openService(options: OpenOptions): OpenedService {
  const { world } = options;
  const machine = machineOf(options);
  const names = serviceNames(world.env);
  const scope = options.scope ?? installedScope(machine, names);
  if (world.platform === "linux") {
    const backend = new Systemd(machine, names, scope);
    if (scope === "user") return { world, serviceWorld: world, machine, names, backend };
    const user = machine.sudoUser ?? machine.user;
    return { world, serviceWorld: worldOf(user, machine), machine, names, backend, user };
  }
  if (scope === "system") {
    throw new ServiceError({
      code: "no-system-service",
      message: "A system service is offered on Linux with systemd only.",
      hints: [commandLine(world, "gateway install")],
    });
  }
  const parts = { world, serviceWorld: world, machine, names };
  if (world.platform === "darwin") return { ...parts, backend: new Launchd(machine, names) };
  if (world.platform === "win32")
    return { ...parts, backend: new WindowsTask(machine, names, options.native === true) };
  throw new ServiceError({
    code: "no-manager",
    message: `This program knows no service manager of ${world.platform}.`,
    hints: [],
  });
}

function installedScope(machine: Machine, names: ServiceNames): Scope {
  const has = (scope: Scope) => existsSync(join(unitFolder(machine, scope), names.unit));
  return machine.world.platform === "linux" && !has("user") && has("system") ? "system" : "user";
}

/** sudo may keep the caller's HOME or set root's; the service runs as its own account. */
function worldOf(user: string, machine: Machine): World {
  const home = accounts(machine.at).find(({ name }) => name === user)?.home;
  if (!home || machine.sudoUser === undefined) return machine.world;
  return { ...machine.world, env: { ...machine.world.env, HOME: home }, homedir: () => home };
}
