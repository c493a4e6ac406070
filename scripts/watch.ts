/** `npm run gateway:watch [-- <options of openclaw gateway run>]`: runs the gateway from its sources and restarts it when one
 *  of them changes. Ctrl-C ends both. */
import { spawn, type ChildProcess } from "node:child_process";
import { watch } from "node:fs";
import { join } from "node:path";
import { root } from "./root.ts";

const settleMs = 150;
/** A little more than the gateway's own stop budget. */
const stopMs = 8_000;
const folders = ["packages/protocol/src", "packages/protocol/generated", "packages/client/src", "packages/gateway/src"];

let child: ChildProcess | undefined;
let ending = false;
let restarting = false;
let changed: NodeJS.Timeout | undefined;

function start(): void {
  const main = join(root, "packages/gateway/src/main.ts");
  const args = [
    "--conditions=openclaw-source",
    "--enable-source-maps",
    main,
    "gateway",
    "run",
    ...process.argv.slice(2),
  ];
  const started = spawn(process.execPath, args, { stdio: "inherit" });
  child = started;
  started.on("exit", (code, signal) => {
    if (child === started) child = undefined;
    if (ending) process.exit(code ?? 0);
    if (!restarting) console.log(`[watch] the gateway ended (${signal ?? code}); waiting for a change`);
  });
}

/** Resolves when the running gateway, if any, is gone. */
function stop(): Promise<void> {
  const running = child;
  if (!running) return Promise.resolve();
  return new Promise((resolve) => {
    const kill = setTimeout(() => running.kill("SIGKILL"), stopMs);
    running.once("exit", () => {
      clearTimeout(kill);
      resolve();
    });
    running.kill("SIGTERM");
  });
}

async function restart(file: string): Promise<void> {
  // A change during a restart is picked up by the start that follows.
  if (restarting || ending) return;
  restarting = true;
  console.log(`[watch] ${file} changed`);
  await stop();
  restarting = false;
  if (!ending) start();
}

for (const folder of folders) {
  watch(join(root, folder), { recursive: true }, (_event, name) => {
    if (!name || !/\.(ts|js)$/.test(name) || /\.(test|d)\.ts$/.test(name)) return;
    clearTimeout(changed);
    changed = setTimeout(() => void restart(join(folder, name)), settleMs);
  });
}

function end(signal: NodeJS.Signals): void {
  ending = true;
  if (!child) process.exit(0);
  // On a terminal Ctrl-C has reached the gateway already; a second one is meant for it too.
  if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
}
process.on("SIGINT", end).on("SIGTERM", end);
start();
