/** The command line: parses argv against a table, loads one command, prints its result.
 *  Guarantees: `--version` and `--help` load no command; with `--json` stdout is one document, also on failure; every wait has a
 *  deadline; Ctrl-C ends with 130; text from chats, models and logs reaches the terminal without control sequences; a command
 *  that only reads leaves no file behind. Knows the gateway through `@openclaw/client`, and its rooms only in `rooms.ts`. */
export { processIo } from "./io.ts";
export type { Io, Output } from "./io.ts";
export { runCli } from "./run-cli.ts";
export { commands } from "./commands.ts";
export type { CommandRow, OptionSpec } from "./command.ts";
export type { RunOptions } from "../assembly/run-options.ts";
export { VERSION } from "../kernel/version.ts";
