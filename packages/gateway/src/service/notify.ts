/** Tells systemd that the gateway answers, or ends (settled.md 25): through `systemd-notify`, since Node has no datagram sockets
 *  of the file system. Nothing is told where nobody asked. */
import type { World } from "../kernel/world.ts";
import { runTool } from "./tool.ts";

const notifyTimeoutMs = 3_000;

/** Never rejects: a manager that was not told waits, and says so itself. */
export async function notifyManager(
  world: Pick<World, "spawn" | "env" | "after">,
  words: readonly string[],
): Promise<void> {
  if (world.env.NOTIFY_SOCKET) await runTool(world, "systemd-notify", words, { timeoutMs: notifyTimeoutMs });
}
