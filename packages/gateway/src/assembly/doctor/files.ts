/** Files and folders of the state directory: owner, mode, room (S22). */
import { accessSync, chmodSync, constants, lstatSync, mkdirSync, readdirSync, type Stats } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { logFolder } from "../log-folder.ts";
import type { Check, DoctorContext, Found } from "./check.ts";
import { codeOf } from "./check.ts";

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(3, "0");

const look = (path: string): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // A folder on the way cannot be entered; the check of the folder says so.
  }
};

const entries = (folder: string): string[] => {
  try {
    return readdirSync(folder)
      .slice(0, 2_000)
      .map((name) => join(folder, name));
  } catch {
    return []; // Missing, or not ours to read.
  }
};

/** Modes mean nothing on Windows. */
const hasModes = (context: DoctorContext): boolean => context.uid !== undefined && context.world.platform !== "win32";
const isOurs = (found: Stats, context: DoctorContext): boolean =>
  context.uid === undefined || found.uid === context.uid;

/** Files among `paths` that others may read or write, and that are ours to close. */
function open(paths: readonly string[], context: DoctorContext, what: string): Found[] {
  if (!hasModes(context)) return [];
  return paths.flatMap((path) => {
    const found = look(path);
    if (!found || found.isSymbolicLink() || (found.mode & 0o077) === 0) return [];
    return [
      {
        severity: "warn" as const,
        title: `${context.show(path)} is open to other users (mode ${octal(found.mode)}).`,
        cause: `${what} Other accounts of this machine can ${(found.mode & 0o022) === 0 ? "read" : "change"} it.`,
        fix: `chmod ${found.isDirectory() ? "700" : "600"} ${context.show(path)}`,
        subject: path,
        ...(isOurs(found, context) ? {} : { fixable: false as const }),
      },
    ];
  });
}

function close(path: string, context: DoctorContext): string[] {
  const found = lstatSync(path);
  const mode = found.isDirectory() ? 0o700 : 0o600;
  if (!found.isSymbolicLink()) chmodSync(path, mode);
  return [`chmod ${octal(mode)} ${context.show(path)}`];
}

const subjectOf = (subject: string | undefined): string => {
  if (subject === undefined) throw new Error("the finding names no file");
  return subject;
};

/** A check that closes files to other users. */
const modeCheck = (id: string, summary: string, what: string, paths: (context: DoctorContext) => string[]): Check => ({
  id,
  summary,
  repair: "plain",
  find: (context) => open(paths(context), context, what),
  fix: (finding, context) => close(subjectOf(finding.subject), context),
});

/** Files with secrets or conversations, wherever the state directory keeps them. */
function privateFiles({ state }: DoctorContext): string[] {
  const fixed = [
    "openclaw.db",
    "openclaw.db-wal",
    "openclaw.db-shm",
    "status.json",
    "children.json",
    "exec-approvals.json",
    "restart-sentinel.json",
  ];
  const agents = entries(join(state, "agents")).map((agent) => join(agent, "agent", "auth-profiles.json"));
  const folders = ["identity", "credentials", "devices", "crashes", "config-history"].map((name) => join(state, name));
  return [
    ...fixed.map((name) => join(state, name)),
    ...agents,
    ...folders.flatMap((folder) => [folder, ...entries(folder)]),
  ];
}

export const fileChecks: readonly Check[] = [
  {
    id: "state-missing",
    summary: "the state directory exists",
    repair: "plain",
    find: (context) =>
      look(context.state) === undefined
        ? [
            {
              severity: "warn",
              title: `The state directory ${context.show(context.state)} does not exist.`,
              cause: "Nothing was set up here yet, or another profile or OPENCLAW_STATE_DIR is meant.",
              fix: `mkdir -m 700 ${context.show(context.state)}`,
              subject: context.state,
            },
          ]
        : [],
    fix: (finding, context) => {
      mkdirSync(subjectOf(finding.subject), { recursive: true, mode: 0o700 });
      return [`made ${context.show(context.state)} (mode 700)`];
    },
  },
  {
    id: "state-owner",
    summary: "the state directory and what lies in it belong to this user",
    find: (context) =>
      [context.state, context.configPath, ...privateFiles(context)].flatMap((path) => {
        const found = look(path);
        if (!found || isOurs(found, context)) return [];
        return [
          {
            severity: "error" as const,
            title: `${context.show(path)} belongs to another user (uid ${found.uid}).`,
            cause:
              "A command was run as another user, often with sudo. The gateway of this account cannot use it safely.",
            fix: `sudo chown -R ${context.uid} ${context.show(context.state)}`,
            subject: path,
          },
        ];
      }),
  },
  {
    id: "state-unwritable",
    summary: "the state directory can be written",
    repair: "plain",
    find: (context) => {
      const found = look(context.state);
      if (!found) return [];
      try {
        accessSync(context.state, constants.R_OK | constants.W_OK | constants.X_OK);
        return [];
      } catch (error) {
        const own = isOurs(found, context) && found.isDirectory();
        return [
          {
            severity: "error",
            title: `The state directory ${context.show(context.state)} cannot be written (${codeOf(error)}).`,
            cause: found.isDirectory() ? `Its mode is ${octal(found.mode)}.` : "It is not a directory.",
            fix: own
              ? `chmod 700 ${context.show(context.state)}`
              : "Give it to this user, or choose another OPENCLAW_STATE_DIR.",
            subject: context.state,
            ...(own ? {} : { fixable: false as const }),
          },
        ];
      }
    },
    fix: (finding, context) => close(subjectOf(finding.subject), context),
  },
  modeCheck(
    "state-mode",
    "the state directory is closed to other users",
    "It holds conversations and keys.",
    ({ state }) => [state],
  ),
  modeCheck("config-mode", "the config file is closed to other users", "It may hold tokens.", ({ configPath }) => [
    configPath,
  ]),
  modeCheck(
    "config-copies-mode",
    "copies of the config are closed to other users",
    "A copy holds the tokens of the original.",
    ({ configPath }) => ["", ".1", ".2", ".3", ".4"].map((n) => `${configPath}.bak${n}`),
  ),
  modeCheck("dotenv-mode", "the .env file is closed to other users", "It usually holds API keys.", ({ state }) => [
    join(state, ".env"),
  ]),
  modeCheck(
    "private-files-mode",
    "the store, keys and records are closed to other users",
    "It holds conversations, keys or crash records.",
    privateFiles,
  ),
  {
    id: "log-folder",
    summary: "the log folder in the temporary directory is ours",
    find: (context) => {
      const { folder, reason } = logFolder(context.world, context.state);
      if (reason === undefined) return [];
      return [
        {
          severity: "info",
          title: `Log files go to ${context.show(folder)}.`,
          cause: reason,
          fix: "Nothing needs to be done. Remove what stands there, or set logging.file, to log elsewhere.",
        },
      ];
    },
  },
  modeCheck("log-mode", "log files are closed to other users", "Logs tell what the gateway does.", (context) => {
    const { folder } = logFolder(context.world, context.state);
    const fixed = context.config?.logging.file;
    const days = entries(folder).filter((path) => /\/openclaw-[\w-]+\.log(\.\d)?$/u.test(path));
    return fixed === undefined ? [folder, ...days] : [fixed];
  }),
  {
    id: "disk-space",
    summary: "the disk has room",
    find: async (context) => {
      const space = await statfs(context.state).catch(() => undefined);
      if (!space) return [];
      const freeBytes = space.bavail * space.bsize;
      if (freeBytes >= lowSpaceBytes) return [];
      return [
        {
          severity: freeBytes < noSpaceBytes ? "error" : "warn",
          title: `Only ${Math.round(freeBytes / 1_048_576)} MB are free where ${context.show(context.state)} lies.`,
          cause: "On a full disk the gateway refuses new messages and says so; it loses nothing.",
          fix: "Free some space.",
        },
      ];
    },
  },
];

const lowSpaceBytes = 200 * 1_048_576;
const noSpaceBytes = 20 * 1_048_576;
