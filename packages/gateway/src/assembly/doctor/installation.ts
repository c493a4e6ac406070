/** What surrounds the gateway: runtime, clock, other installations, crash records. */
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { importState } from "../import.ts";
import { hasUnreadOldState } from "../old-state.ts";
import type { Check, DoctorContext } from "./check.ts";

const leastNode = 24;
const dayMs = 86_400_000;
/** No version of this program is older. */
const earliestMs = Date.UTC(2026, 0, 1);

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Missing, or not ours to read.
  }
};

function lastCrash({ state }: DoctorContext): { count: number; time: string; text: string } | undefined {
  const folder = join(state, "crashes");
  const records = names(folder)
    .filter((name) => /^crash-\d+\.json$/u.test(name))
    .sort();
  const newest = records.at(-1);
  if (newest === undefined) return undefined;
  try {
    const { time, error } = JSON.parse(readFileSync(join(folder, newest), "utf8")) as {
      time?: unknown;
      error?: unknown;
    };
    return { count: records.length, time: String(time), text: String(error).split("\n")[0]?.slice(0, 240) ?? "" };
  } catch {
    return { count: records.length, time: "an unknown time", text: "the record cannot be read" };
  }
}

export const installationChecks: readonly Check[] = [
  {
    id: "runtime-version",
    summary: `the runtime is Node ${leastNode} or newer`,
    find: ({ world }) => {
      const major = Number(/^v(\d+)/u.exec(world.nodeVersion)?.[1] ?? 0);
      if (major >= leastNode) return [];
      return [
        {
          severity: "error",
          title: `This is Node ${world.nodeVersion}; the gateway needs ${leastNode} or newer.`,
          cause: "Older versions lack parts it is built on.",
          fix: `Install Node ${leastNode}.`,
        },
      ];
    },
  },
  {
    id: "clock",
    summary: "the clock is plausible",
    find: ({ world, status }) => {
      const now = world.now();
      const before = status?.writtenAt ?? 0;
      if (now >= earliestMs && now > before - dayMs) return [];
      return [
        {
          severity: "error",
          title: `The clock says ${new Date(now).toISOString()}.`,
          cause:
            now < earliestMs
              ? "That is before this program was made."
              : `The gateway last wrote at ${new Date(before).toISOString()}.`,
          fix: "Set the clock: certificates, signatures and schedules depend on it.",
        },
      ];
    },
  },
  {
    id: "state-directories",
    summary: "there is one state directory",
    find: ({ world, state, show, command }) => {
      const real = (path: string) => (existsSync(path) ? realpathSync(path) : path);
      const others = [".openclaw", ".clawdbot", ".moltbot"]
        .map((name) => join(world.homedir(), name))
        .filter(
          (path) =>
            existsSync(join(path, "openclaw.json")) ||
            existsSync(join(path, `${path.split("/.").at(-1)}.json`)) ||
            existsSync(join(path, "agents")),
        )
        .filter((path) => real(path) !== real(state) && !lstatSync(path).isSymbolicLink());
      // A profile beside the main installation is meant to be there.
      const legacy = others.filter((path) => !path.endsWith("/.openclaw"));
      const plain = world.env.OPENCLAW_PROFILE ? [] : others.filter((path) => path.endsWith("/.openclaw"));
      return [...legacy, ...plain].map((path) => ({
        severity: "info" as const,
        title: `There is another state directory: ${show(path)}.`,
        cause: `This command uses ${show(state)}. ${path.endsWith("/.openclaw") ? "OPENCLAW_STATE_DIR names it." : "The other one is of an earlier product name."}`,
        fix: path.endsWith("/.openclaw")
          ? "Unset OPENCLAW_STATE_DIR if it was not meant."
          : `Take its conversations over (${command("sessions import")}), or move it away.`,
        subject: path,
      }));
    },
  },
  {
    id: "old-layout",
    summary: "no conversations of an earlier version wait to be taken over",
    repair: "plain",
    find: ({ state, show, running, command }) => {
      if (!hasUnreadOldState(state)) return [];
      return [
        {
          severity: "warn",
          title: `${show(state)} holds conversations or devices of an earlier version.`,
          cause: "This version keeps them in openclaw.db. The old files are copied first and stay as they are.",
          fix: running ? `Stop the gateway, then run ${command("sessions import")}.` : command("sessions import"),
          subject: state,
          ...(running ? { fixable: false as const } : {}),
        },
      ];
    },
    fix: async (_finding, { world, show, command }) => {
      const { taken, skipped, more, backup } = await importState({}, world);
      const left = skipped.length + more;
      return [
        `took over ${taken.sessions} sessions (${taken.entries} entries), ${taken.devices} devices, ${taken.nodes} nodes`,
        ...(left > 0 ? [`left ${left} files; ${command("sessions import --dry-run")} says why`] : []),
        ...(backup ? [`copies of what was read are in ${show(backup)}`] : []),
      ];
    },
  },
  {
    id: "crash-record",
    summary: "the gateway did not crash lately",
    find: (context) => {
      const crash = lastCrash(context);
      if (crash === undefined) return [];
      const recent = context.world.now() - Date.parse(crash.time) < 7 * dayMs;
      return [
        {
          severity: recent ? "warn" : "info",
          title: `The gateway crashed ${crash.count === 1 ? "once" : `${crash.count} times`}, last at ${crash.time}.`,
          cause: crash.text,
          fix: `The records are in ${context.show(join(context.state, "crashes"))}; remove them once read.`,
        },
      ];
    },
  },
];
