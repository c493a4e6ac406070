/** What the ends of connections mean to people (channels.md §6.4). Pure. */
import { commandLine } from "../../../kernel/paths.ts";
import type { World } from "../../../kernel/world.ts";
import type { ChannelEntry, ConnectionEnd } from "../channel.ts";

/** Our own watchdog replaced a connection that may have been dead. */
const renewedStatus = 499;

export const isRenewal = (end: ConnectionEnd): boolean => "status" in end && end.status === renewedStatus;

export function notLinkedEnd(options: {
  entry: Pick<ChannelEntry, "id" | "label">;
  accountId: string;
  world: Pick<World, "env">;
}): Extract<ConnectionEnd, { kind: "terminal" }> {
  const { entry, accountId, world } = options;
  const account = accountId === "default" ? "" : ` --account ${accountId}`;
  return {
    kind: "terminal",
    reason: "not-linked",
    message: `${entry.label} is not linked.`,
    fix: commandLine(world, `channels login --channel ${entry.id}${account}`),
  };
}
