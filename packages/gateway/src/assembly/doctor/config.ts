/** The config file: there, readable, legal, and without what older versions wrote. */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  editConfigFile,
  editsBetween,
  formatPath,
  listHistory,
  migrateLegacy,
  readConfig,
  type Edit,
} from "../../config/index.ts";
import { declared } from "../sections.ts";
import { runSetup } from "../setup.ts";
import { at, type Check, type DoctorContext, type Finding, type Found } from "./check.ts";
import { replacePrivately } from "./replace.ts";
import { removeKey, unknownKeys } from "./unknown-keys.ts";

const oldNames = ["clawdbot.json", "moltbot.json"];

/** The config of an earlier product name, when there is none of ours. */
function oldConfig({ snapshot, state }: DoctorContext): string | undefined {
  if (snapshot.verdict !== "missing") return undefined;
  return oldNames.map((name) => join(state, name)).find((path) => existsSync(path));
}

/** The newest former text of the config that is legal today: of the history, else beside the file. */
function usableCopy({ configPath, world }: DoctorContext): string | undefined {
  const beside = ["", ".1", ".2", ".3", ".4"].map((n) => `${configPath}.bak${n}`).filter((path) => existsSync(path));
  return [...listHistory(world).map(({ path }) => path), ...beside].find(
    (path) => readConfig(path, world, declared).verdict === "ok",
  );
}

/** Temporary files of a writer that died: `openclaw.json.<pid>.<uuid>.tmp`. */
function leftovers({ configPath, state, world }: DoctorContext): string[] {
  const from = (folder: string, original: string, rest: RegExp): string[] => {
    try {
      return readdirSync(folder)
        .filter((name) => name.startsWith(original) && rest.test(name.slice(original.length)))
        .map((name) => join(folder, name));
    } catch {
      return []; // Missing, or not ours to read.
    }
  };
  const config = from(dirname(configPath), basename(configPath), /^\.\d+\.[\w-]+\.tmp$/u);
  const status = from(state, "status.json", /^(?:\.\d+)?\.tmp$/u);
  return [...config, ...status].filter((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found !== undefined && world.now() - found.mtimeMs > 60_000;
  });
}

const edit = (context: DoctorContext, edits: readonly Edit[]) =>
  editConfigFile(context.configPath, edits, context.world, declared);

/** Old keys moved, then unknown ones removed, judged and written once. Says each change. */
async function modernise(context: DoctorContext): Promise<string[]> {
  const before = context.snapshot.parsed as Record<string, unknown>;
  const { document, changes } = migrateLegacy(before);
  const after = structuredClone(document);
  const { keys } = unknownKeys(context.snapshot);
  for (const { path } of keys) removeKey(after, path);
  const edits = editsBetween(before, after);
  if (edits.length === 0) return [];
  await edit(context, edits);
  const kept = `the former file is ${context.show(context.configPath)}.bak`;
  return [...changes, ...keys.map(({ path }) => `Removed ${formatPath(path)}.`), kept];
}

export const configChecks: readonly Check[] = [
  {
    id: "config-old-name",
    summary: "no config of an earlier product name stands alone",
    repair: "plain",
    find: (context) => {
      const path = oldConfig(context);
      if (path === undefined) return [];
      return [
        {
          severity: "error",
          title: `The config still has an earlier name: ${context.show(path)}.`,
          cause: `The gateway reads ${context.show(context.configPath)}, which does not exist.`,
          fix: `cp ${context.show(path)} ${context.show(context.configPath)}`,
          subject: path,
        },
      ];
    },
    fix: (finding, context) => {
      copyFileSync(finding.subject ?? "", context.configPath, constants.COPYFILE_EXCL);
      chmodSync(context.configPath, 0o600);
      return [
        `copied ${context.show(finding.subject ?? "")} to ${context.show(context.configPath)}; the original stays`,
      ];
    },
  },
  {
    id: "config-missing",
    summary: "there is a config file",
    repair: "plain",
    find: (context) => {
      if (context.snapshot.verdict !== "missing" || oldConfig(context)) return [];
      const link = lstatSync(context.configPath, { throwIfNoEntry: false })?.isSymbolicLink() === true;
      return [
        {
          severity: "error",
          title: `There is no config at ${context.show(context.configPath)}.`,
          cause: link
            ? "It is a link to a file that does not exist."
            : "The gateway refuses to start without gateway.mode=local.",
          fix: link ? "Restore the file the link names, or remove the link." : context.command("setup"),
          subject: context.configPath,
          ...(link ? { fixable: false as const } : {}),
        },
      ];
    },
    fix: (_finding, context) => runSetup({}, context.world),
  },
  {
    id: "config-unreadable",
    summary: "the config file can be read",
    repair: "plain",
    find: (context) => {
      if (context.snapshot.verdict !== "unreadable") return [];
      const found = lstatSync(context.configPath, { throwIfNoEntry: false });
      const own = found !== undefined && found.isFile() && found.uid === context.uid;
      return [
        {
          severity: "error",
          title: `The config ${context.show(context.configPath)} cannot be read.`,
          cause: context.snapshot.issues[0]?.message ?? "unknown",
          fix: own ? `chmod 600 ${context.show(context.configPath)}` : "Make it a file that belongs to this user.",
          subject: context.configPath,
          ...(own ? {} : { fixable: false as const }),
        },
      ];
    },
    fix: (finding, context) => {
      chmodSync(finding.subject ?? "", 0o600);
      return [`chmod 600 ${context.show(finding.subject ?? "")}`];
    },
  },
  {
    id: "config-unparsable",
    summary: "the config file is JSON5",
    repair: "plain",
    find: (context) => {
      if (context.snapshot.verdict !== "unparsable") return [];
      const backup = usableCopy(context);
      return [
        {
          severity: "error",
          title: `The config ${context.show(context.configPath)} cannot be parsed.`,
          cause: context.snapshot.issues[0]?.message ?? "unknown",
          fix: backup
            ? `Repair the text by hand, or restore ${context.show(backup)}, the last text that was legal; the broken file is kept.`
            : "Repair the text by hand; there is no former text that could be restored.",
          subject: context.configPath,
          ...(backup ? {} : { fixable: false as const }),
        },
      ];
    },
    fix: (_finding, context) => {
      const backup = usableCopy(context);
      if (backup === undefined) throw new Error("the copy is gone");
      const kept = context.keep(context.configPath);
      replacePrivately(context.configPath, readFileSync(backup), context.world);
      return [`restored ${context.show(backup)}; the broken file is ${context.show(kept)}`];
    },
  },
  {
    id: "config-unknown-key",
    summary: "the config has no unknown keys",
    repair: "plain",
    find: ({ snapshot, command }) => {
      const unknown = unknownKeys(snapshot);
      const others = snapshot.issues.length > unknown.issues;
      return unknown.keys.map(({ path, hint, removable }): Found => {
        const key = formatPath(path);
        return {
          severity: "error",
          title: `Unrecognized key: ${key}${hint ? ` (did you mean "${hint}"?)` : ""}`,
          cause: "The gateway refuses to start with keys it does not know, so that no typing error passes unseen.",
          fix: `${command(`config unset ${key}`)}${hint ? `, or write it as ${hint}` : ""}.${others ? " Repair the other problems of the file first." : ""}`,
          subject: key,
          ...(removable && !others ? {} : { fixable: false as const }),
        };
      });
    },
    // All at once: a document with one of them left is refused by the writer. Later findings find nothing to do.
    fix: (finding, context) =>
      once(
        finding,
        unknownKeys(context.snapshot).keys.map(({ path }) => formatPath(path)),
        () => modernise(context),
      ),
  },
  {
    id: "config-legacy-key",
    summary: "the config has no keys of earlier versions",
    repair: "plain",
    find: ({ snapshot }) =>
      snapshot.legacyIssues.map(({ path, message }) => ({
        severity: "warn" as const,
        title: `${path}: ${message}`,
        cause: "The gateway understands it for now, and reads the new place.",
        fix: "The repair moves it in the file; comments stay.",
        subject: path,
        ...(snapshot.verdict === "ok" ? {} : { fixable: false as const }),
      })),
    fix: (finding, context) =>
      once(
        finding,
        context.snapshot.legacyIssues.map(({ path }) => path),
        () => modernise(context),
      ),
  },
  {
    id: "config-invalid",
    summary: "every value of the config is legal",
    find: ({ snapshot, command }) => {
      if (snapshot.verdict !== "invalid") return [];
      return snapshot.issues
        .filter((issue) => !issue.message.startsWith("Unrecognized key"))
        .map((issue) => ({
          severity: "error" as const,
          title: `${issue.path || "<root>"}: ${issue.message}`,
          cause: "The gateway refuses to start with this value; a running one keeps its last good config.",
          fix: issue.path ? command(`config set ${issue.path} <value>`) : "Edit the file.",
          ...(issue.path ? { subject: issue.path } : {}),
        }));
    },
  },
  {
    id: "config-leftover",
    summary: "no temporary file of a writer that died lies about",
    repair: "plain",
    find: (context) =>
      leftovers(context).map((path) => ({
        severity: "info",
        title: `${context.show(path)} was left by a writer that died.`,
        cause: "The file it was to replace is whole; this one was never used.",
        fix: `rm ${context.show(path)}`,
        subject: path,
      })),
    fix: (finding, context) => {
      const kept = context.setAside(finding.subject ?? "");
      return [`moved ${context.show(finding.subject ?? "")} to ${context.show(kept)}`];
    },
  },
  {
    id: "gateway-mode",
    summary: "gateway.mode says where the gateway lives",
    repair: "plain",
    find: (context) => {
      if (context.snapshot.verdict !== "ok" || at(context.document, "gateway", "mode") !== undefined) return [];
      return [
        {
          severity: "error",
          title: "gateway.mode is not set.",
          cause: "The gateway does not start before it is: it could belong to another machine.",
          fix: context.command("config set gateway.mode local"),
          subject: "gateway.mode",
        },
      ];
    },
    fix: async (_finding, context) => {
      await edit(context, [{ path: ["gateway", "mode"], value: "local" }]);
      return ["set gateway.mode=local"];
    },
  },
  {
    id: "remote-url",
    summary: "a remote gateway has an address",
    find: ({ config, command }) =>
      config?.gateway.mode === "remote" && !config.gateway.remote.url
        ? [
            {
              severity: "error",
              title: "gateway.mode is remote, and gateway.remote.url is not set.",
              cause: "Commands do not know which gateway to talk to.",
              fix: `${command("config set gateway.remote.url ws://127.0.0.1:18789")}, or gateway.mode=local`,
              subject: "gateway.remote.url",
            },
          ]
        : [],
  },
  {
    id: "config-warning",
    summary: "nothing in the config is ignored",
    find: ({ snapshot, command }) =>
      snapshot.warnings.map(({ path, message }) => ({
        severity: "warn" as const,
        title: `${path}: ${message}`,
        cause: "The file is legal; this part of it does not do what it seems to.",
        fix: path ? `${command(`config unset ${path}`)}, or correct it.` : "Correct it.",
        ...(path ? { subject: path } : {}),
      })),
  },
];

/** Repairs that are one write: the first finding does it, the others are done by it. */
const once = async (finding: Finding, subjects: readonly string[], write: () => Promise<string[]>): Promise<string[]> =>
  finding.subject === subjects[0] ? write() : [];
