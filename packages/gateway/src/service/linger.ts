/** Lingering: whether the services of an account run while nobody is logged in. A user unit needs it on a server. */
import { lingers, type Machine } from "./machine.ts";
import { complaint, runTool } from "./tool.ts";

export type LingerOutcome =
  | { result: "enabled" | "already-enabled" }
  | { result: "unavailable" | "refused"; reason: string; command: string };

export const lingerCommand = (user: string): string => `sudo loginctl enable-linger ${user}`;

/** Asks logind for the account itself, then through sudo: with the person at the terminal, else without a password.
 *  Never throws. */
export async function enableLinger(
  machine: Machine,
  { interactive }: { interactive: boolean },
): Promise<LingerOutcome> {
  const { world, user } = machine;
  if (lingers(machine, user) === "yes") return { result: "already-enabled" };
  const command = lingerCommand(user);
  const own = await runTool(world, "loginctl", ["enable-linger", user]);
  if (own.missing) return { result: "unavailable", reason: "loginctl is not on PATH", command };
  if (own.code === 0) return { result: "enabled" };
  const reason = complaint(own);
  if (machine.uid === 0) return { result: "refused", reason, command };
  const args = ["loginctl", "enable-linger", user];
  const bySudo = await runTool(world, "sudo", interactive ? args : ["-n", ...args], {
    interactive,
    ...(interactive ? { timeoutMs: 120_000 } : {}),
  });
  return bySudo.code === 0 ? { result: "enabled" } : { result: "refused", reason, command };
}
