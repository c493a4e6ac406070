/** One run of the command line: globals, profile, the row of the table, its function, and how failures look. */
import { displayPath } from "../kernel/paths.ts";
import { CommandError, Interrupted, UsageError } from "./command.ts";
import type { CommandRow, Context } from "./command.ts";
import { commands } from "./commands.ts";
import type { Io } from "./io.ts";
import { parse } from "./parse.ts";
import type { Invocation } from "./parse.ts";
import { applyDotenv, applyProfile, ProfileError, readGlobals, suggest } from "./profile.ts";
import { clean } from "./terminal/clean.ts";
import { toJson } from "./terminal/json.ts";
import { styleFor } from "./terminal/style.ts";
import { VERSION } from "../kernel/version.ts";

/** Resolves with the exit code (cli.md §1.3). Never throws. */
export async function runCli(argv: readonly string[], io: Io, rows: readonly CommandRow[] = commands): Promise<number> {
  const wantsJson = argv.includes("--json");
  try {
    const globals = readGlobals(argv);
    if (globals.version) {
      io.stdout.write(`${VERSION}\n`);
      return 0;
    }
    applyProfile(globals, io);
    const { words } = globals;
    if (globals.help || words.length === 0 || words[0] === "help") return await printHelp(rows, words, io);
    const first = words[0] ?? "";
    if (first.startsWith("-")) throw new UsageError(`error: unknown option '${first.split("=")[0]}'`);
    const call = parse(rows, words);
    if (call.help) return await printRowHelp(rows, call.row, io, io.stdout, 0);
    const { load } = call.row;
    if (!load) return await printRowHelp(rows, call.row, io, io.stderr, 1);
    io.setTitle(`openclaw-${call.row.path.split(" ")[0]}`);
    applyDotenv(io);
    if (!call.row.anyConfig) await guardConfig(io);
    return await (
      await load()
    )(contextOf(io, call));
  } catch (error) {
    return fail(error, io, wantsJson);
  }
}

/** Commands that build on the config refuse a broken one; diagnosis and repair do not ask (config.md §4). */
async function guardConfig(io: Io): Promise<void> {
  const { locateConfig } = await import("../config/locate.ts");
  const { path, problem } = await locateConfig(io);
  if (problem === undefined) return;
  throw new CommandError(
    `Config invalid\nFile: ${displayPath(path, io)}\nProblem:\n  - <root>: ${problem}\nRun: ${suggest(io.env, "doctor --fix")}`,
  );
}

/** `openclaw`, `openclaw --help [words]`, `openclaw help [words]`. */
async function printHelp(rows: readonly CommandRow[], words: readonly string[], io: Io): Promise<number> {
  const named = words[0] === "help" ? words.slice(1) : words;
  if (named.length > 0) return printRowHelp(rows, parse(rows, [...named, "--help"]).row, io, io.stdout, 0);
  return printRowHelp(rows, undefined, io, io.stdout, 0);
}

async function printRowHelp(
  rows: readonly CommandRow[],
  row: CommandRow | undefined,
  io: Io,
  output: Io["stdout"],
  code: number,
): Promise<number> {
  const { help } = await import("./help.ts");
  output.write(help(rows, row, output, io.env));
  return code;
}

function contextOf(io: Io, call: Invocation): Context {
  return {
    io,
    row: call.row,
    options: call.options,
    arguments: call.arguments,
    json: call.options.has("json"),
    print: (...lines) => io.stdout.write(`${lines.join("\n")}\n`),
    printJson: (value) => io.stdout.write(`${toJson(value)}\n`),
    note: (...lines) => io.stderr.write(`${lines.join("\n")}\n`),
  };
}

/** Prints why, and returns the exit code. With `--json` stdout still gets its one document (R-CLI-5). */
function fail(error: unknown, io: Io, wantsJson: boolean): number {
  if (error instanceof Interrupted) return 130;
  if (error instanceof ProfileError) {
    io.stderr.write(`[openclaw] ${error.message}\n`);
    return 2;
  }
  const message = clean(error instanceof Error ? error.message : String(error));
  const debug = io.env.OPENCLAW_DEBUG && io.env.OPENCLAW_DEBUG !== "0";
  if (wantsJson) {
    const extra = error instanceof CommandError ? error.extra : {};
    io.stdout.write(`${toJson({ ok: false, error: message, ...extra })}\n`);
  }
  const { error: paint } = styleFor(io.stderr, io.env);
  const plain = error instanceof UsageError || error instanceof CommandError;
  const shown = plain ? message : `Error: ${message}`;
  io.stderr.write(`${shown.split("\n").map(paint).join("\n")}\n`);
  if (error instanceof UsageError && error.hint) io.stderr.write(`${error.hint}\n`);
  if (debug && error instanceof Error && error.stack) io.stderr.write(`${error.stack}\n`);
  return 1;
}
