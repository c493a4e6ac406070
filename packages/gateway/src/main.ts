/** The binary: reads argv, loads one command. Nothing else is imported before the command is known. */
import { VERSION } from "./kernel/version.ts";

async function main(argv: readonly string[]): Promise<void> {
  const [first] = argv;
  if (first === "--version" || first === "-V" || first === "-v") {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  // Without a handler the runtime answers this signal by opening its debug port, also while the first code is loaded (R-SIG-1).
  // What the signal means to a gateway is added where it runs.
  process.on("SIGUSR1", () => {});
  const { processIo, runCli } = await import("./cli/index.ts");
  const code = await runCli(argv, processIo());
  // Output to a slow pipe is written completely before the end; an open socket or timer does not hold the program up.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  // What could not be written is said in the next turn, and decides the exit code.
  if (stream.errored) return new Promise((resolve) => setImmediate(resolve));
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write("", () => resolve());
    stream.once("close", () => resolve());
  });
}

await main(process.argv.slice(2));
