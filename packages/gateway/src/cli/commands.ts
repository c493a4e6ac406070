/** Every command: names, summaries, options, and where its code is. Tables without code, one per area: help, completion and
 *  the reference page are made from them, and a command's file is loaded only when it runs. */
import type { CommandRow } from "./command.ts";
import { agentCommands } from "./commands/agents.ts";
import { channelCommands } from "./commands/channels.ts";
import { deviceCommands } from "./commands/devices.ts";
import { gatewayCommands } from "./commands/gateway.ts";
import { serviceCommands } from "./commands/service.ts";
import { setupCommands } from "./commands/setup.ts";
import { stateCommands } from "./commands/state.ts";

export const commands: readonly CommandRow[] = [
  ...gatewayCommands,
  ...serviceCommands,
  ...stateCommands,
  ...agentCommands,
  ...setupCommands,
  ...deviceCommands,
  ...channelCommands,
];
