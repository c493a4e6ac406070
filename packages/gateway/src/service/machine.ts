/** What surrounds the service: account, session, kind of machine. Read from files, so that it costs a status command nothing. */
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../kernel/world.ts";
import type { Scope } from "./types.ts";

export interface Machine {
  world: World;
  /** Absolute path of one of the machine's own files; tests have a root of their own. */
  at(path: string): string;
  /** Undefined on systems without user ids. */
  uid: number | undefined;
  /** Account that runs this command. */
  user: string;
  /** Account on whose behalf `sudo` runs it. */
  sudoUser?: string;
}

export interface MachineOptions {
  world: World;
  /** Folder that stands for `/`. */
  root?: string;
  uid?: number;
}

export function machineOf({ world, root = "/", uid = process.getuid?.() }: MachineOptions): Machine {
  const at = (path: string) => (root === "/" ? path : join(root, path));
  const { env } = world;
  const account = uid === undefined ? undefined : accounts(at).find((each) => each.uid === uid);
  const sudoUser = uid === 0 && env.SUDO_USER && env.SUDO_USER !== "root" ? env.SUDO_USER : undefined;
  return {
    world,
    at,
    uid,
    user: account?.name ?? (env.USER || env.LOGNAME || env.USERNAME || String(uid ?? "unknown")),
    ...(sudoUser === undefined ? {} : { sudoUser }),
  };
}

export interface Account {
  name: string;
  uid: number;
  home: string;
}

/** Local accounts; those of a directory service are not there. */
export function accounts(at: Machine["at"]): Account[] {
  let text = "";
  try {
    text = readFileSync(at("/etc/passwd"), "utf8");
  } catch {
    return []; // No such file on this system: names come from the environment.
  }
  return text.split("\n").flatMap((line) => {
    const [name, , uid, , , home] = line.split(":");
    return name && /^\d+$/u.test(uid ?? "") ? [{ name, uid: Number(uid), home: home ?? "" }] : [];
  });
}

/** systemd is the init of this machine: what sd_booted(3) looks at. */
export const hasSystemd = ({ at }: Machine): boolean => isFolder(at("/run/systemd/system"));

/** Where the user's session keeps its sockets, whether or not this shell was told. */
export function runtimeDir({ world, at, uid }: Machine): string | undefined {
  if (world.env.XDG_RUNTIME_DIR) return world.env.XDG_RUNTIME_DIR;
  const usual = `/run/user/${uid}`;
  return uid !== undefined && isFolder(at(usual)) ? usual : undefined;
}

export const hasUserManager = (machine: Machine): boolean => {
  const folder = runtimeDir(machine);
  return folder !== undefined && existsSync(join(machine.at(folder), "systemd", "private"));
};

export function isContainer({ world, at }: Machine): boolean {
  return Boolean(world.env.container) || existsSync(at("/.dockerenv")) || existsSync(at("/run/.containerenv"));
}

export function isWsl({ world, at }: Machine): boolean {
  if (world.env.WSL_DISTRO_NAME) return true;
  try {
    return /microsoft/iu.test(readFileSync(at("/proc/sys/kernel/osrelease"), "utf8"));
  } catch {
    return false; // No /proc: not a Linux, so not this one.
  }
}

/** Where systemd looks for what a person installs. */
export const unitFolder = (machine: Machine, scope: Scope): string =>
  scope === "system" ? machine.at("/etc/systemd/system") : join(machine.world.homedir(), ".config", "systemd", "user");

/** logind's own record: there is a file per user who lingers. */
export function lingers({ at }: Machine, user: string): "yes" | "no" | "unknown" {
  const folder = at("/var/lib/systemd");
  if (!isFolder(folder)) return "unknown";
  return existsSync(join(folder, "linger", user)) ? "yes" : "no";
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}
