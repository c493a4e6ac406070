/** Other services of this machine that look like a gateway (lifecycle.md §9.8): rivals for the port, and what earlier versions
 *  left. Best effort: a folder that cannot be read is left out. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readText } from "./files.ts";
import { labelPrefix, unitPrefix } from "./names.ts";
import type { OpenedService } from "./open.ts";
import { runtimeDir, unitFolder } from "./machine.ts";
import { complaint, runTool } from "./tool.ts";
import { ServiceError, type Scope } from "./types.ts";

export interface OtherService {
  platform: "darwin" | "linux" | "win32";
  label: string;
  /** Path of its definition. */
  detail: string;
  scope: Scope;
  /** Carries the mark of this program. */
  marker?: true;
  /** Of an earlier name of this product. */
  legacy?: true;
  /** What removes it. */
  cleanup: readonly string[];
}

const maxFiles = 500;
const maxChars = 65_536;
const named = /openclaw|clawdbot|moltbot/iu;
/** A variable of a unit, or a key and its string in a plist. */
const marked = /OPENCLAW_SERVICE_MARKER(?:=|<\/key>\s*<string>)openclaw\b/u;
const nodeHost = /OPENCLAW_SERVICE_KIND(?:=|<\/key>\s*<string>)node\b/u;

interface Folder {
  path: string;
  scope: Scope;
}

/** Both the other gateways and the legacy ones; `deep` looks into the folders of the whole machine too. */
export function otherServices({ machine, names, backend }: OpenedService, deep: boolean): OtherService[] {
  const { world, at } = machine;
  const home = world.homedir();
  const darwin = world.platform === "darwin";
  if (world.platform === "win32") return [];
  const folders: Folder[] = darwin
    ? [
        { path: join(home, "Library/LaunchAgents"), scope: "user" },
        ...(deep
          ? ["/Library/LaunchAgents", "/Library/LaunchDaemons"].map((path) => ({
              path: at(path),
              scope: "system" as const,
            }))
          : []),
      ]
    : [
        { path: unitFolder(machine, "user"), scope: "user" },
        ...(deep
          ? ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"].map((path) => ({
              path: at(path),
              scope: "system" as const,
            }))
          : []),
      ];
  const ending = darwin ? ".plist" : ".service";
  const legacy: readonly string[] = darwin ? names.legacyLabels : names.legacyUnits;
  const found = new Map<string, OtherService>();
  for (const { path: folder, scope } of folders) {
    for (const file of list(folder).filter((name) => name.endsWith(ending))) {
      const label = darwin ? file.slice(0, -ending.length) : file;
      const path = join(folder, file);
      if (label === backend.label && scope === backend.scope) continue;
      // /lib is a link to /usr/lib on most systems.
      if ([...found.values()].some((other) => other.label === label && other.scope === scope)) continue;
      const text = readText(path)?.slice(0, maxChars) ?? "";
      const isLegacy = legacy.includes(label) && scope === "user";
      if (!isLegacy && !isRival(label, text)) continue;
      found.set(path, {
        platform: darwin ? "darwin" : "linux",
        label,
        detail: path,
        scope,
        ...(marked.test(text) ? { marker: true as const } : {}),
        ...(isLegacy ? { legacy: true as const } : {}),
        cleanup: cleanupOf(label, path, scope, darwin),
      });
    }
  }
  return [...found.values()];
}

/** A gateway of another profile is meant to be there, and a node host is no gateway. */
function isRival(label: string, text: string): boolean {
  if (!named.test(text) && !named.test(label)) return false;
  if (nodeHost.test(text) || /(^|[.-])node(\.service)?$/u.test(label)) return false;
  const ours = label.startsWith(unitPrefix) || label.startsWith(labelPrefix) || label.startsWith("ai.openclaw.");
  return !(ours && marked.test(text));
}

function cleanupOf(label: string, path: string, scope: Scope, darwin: boolean): string[] {
  if (darwin) {
    return scope === "user"
      ? [`launchctl bootout gui/$UID/${label}`, `rm ${path}`]
      : [`sudo launchctl bootout system/${label}`, `sudo rm ${path}`];
  }
  return scope === "user"
    ? [`systemctl --user disable --now ${label}`, `rm ${path}`]
    : [`sudo systemctl disable --now ${label}`, `sudo rm ${path}`];
}

/** Stops and removes a service of this account. Throws ServiceError when it is still there afterwards. */
export async function removeService({ machine, backend }: OpenedService, other: OtherService): Promise<void> {
  const { world } = machine;
  const folder = runtimeDir(machine);
  const ran =
    other.platform === "darwin"
      ? await runTool(world, "launchctl", ["bootout", `gui/${machine.uid ?? 501}/${other.label}`])
      : await runTool(world, "systemctl", ["--user", "disable", "--now", other.label], {
          timeoutMs: 60_000,
          ...(folder === undefined ? {} : { env: { XDG_RUNTIME_DIR: folder } }),
        });
  // launchd answers 3 and 113 for what is not loaded.
  if (ran.code !== 0 && !(other.platform === "darwin" && (ran.code === 3 || ran.code === 113))) {
    throw new ServiceError({
      code: "manager-failed",
      message: `${other.label} could not be stopped: ${complaint(ran)}`,
      hints: [...other.cleanup],
    });
  }
  rmSync(other.detail, { force: true });
  if (backend.manager === "systemd") await runTool(world, "systemctl", ["--user", "daemon-reload"]);
}

/** The other definition of the same name: a user unit beside a system unit. */
export function sameNameElsewhere({ machine, backend }: OpenedService): string | undefined {
  if (backend.manager !== "systemd") return undefined;
  const path = join(unitFolder(machine, backend.scope === "user" ? "system" : "user"), backend.label);
  return existsSync(path) ? path : undefined;
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort().slice(0, maxFiles);
  } catch {
    return []; // Not there, or not ours to read.
  }
};
