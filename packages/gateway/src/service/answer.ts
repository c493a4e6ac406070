/** After a start: waits until the gateway answers, or says why it does not. A manager that is told about readiness has waited
 *  already. */
import { connect } from "node:net";
import { commandLine } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import { portOfCommand } from "./command.ts";
import { configurationExit } from "./systemd-unit.ts";
import { ServiceError, type ServiceBackend } from "./types.ts";

const answerTimeoutMs = 15_000;
const pollMs = 250;
const connectTimeoutMs = 500;
/** A manager that holds starts back shows a stopped service in between; so often in a row it is not coming back by itself. */
const stoppedLooks = 4;

/** Returns what is worth a warning. Throws ServiceError when the gateway ended. */
export async function awaitAnswer(backend: ServiceBackend, world: World): Promise<string[]> {
  const deadline = world.monotonic() + answerTimeoutMs;
  for (let stopped = 0; ;) {
    const { runtime, command, tellsReady } = await backend.look();
    if (tellsReady || runtime.status === "unknown") return [];
    const port = command === undefined ? undefined : portOfCommand(command);
    if (runtime.status === "running" && (port === undefined || (await accepts(port)))) return [];
    stopped = runtime.status === "stopped" && runtime.lastExitStatus ? stopped + 1 : 0;
    if (stopped >= stoppedLooks) throw ended(runtime.lastExitStatus ?? 0, world);
    if (world.monotonic() >= deadline)
      return [
        `The service runs, and does not answer on 127.0.0.1:${port} yet. Look again with: ${commandLine(world, "gateway status")}`,
      ];
    await world.sleep(pollMs);
  }
}

/** What a start that ended at once means. */
export function ended(status: number, world: Pick<World, "env">, hints: readonly string[] = []): ServiceError {
  const configuration = status === configurationExit;
  return new ServiceError({
    code: configuration ? "configuration" : "start-failed",
    message: configuration
      ? `The gateway refused to start: its configuration cannot work (exit ${status}). It stays down until that is changed.`
      : `The gateway ended at once with exit ${status}.`,
    hints: [commandLine(world, configuration ? "doctor" : "gateway status"), ...hints],
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: connectTimeoutMs });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}
