/** Whether conversations or devices of an older OpenClaw wait in the state directory. The gateway says the same when it starts;
 *  here it is asked without loading it. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

export function waitingOldState(stateDir: string): boolean {
  const names = (folder: string) => {
    try {
      return readdirSync(join(stateDir, folder));
    } catch {
      // Missing or not ours to read: nothing is found there.
      return [];
    }
  };
  const exists = (...path: string[]) => existsSync(join(stateDir, ...path));
  const old =
    exists("devices", "paired.json") ||
    names("agents").some((agent) => exists("agents", agent, "sessions", "sessions.json"));
  return old && !names("backups").some((name) => name.startsWith("import-") && exists("backups", name, "report.json"));
}
