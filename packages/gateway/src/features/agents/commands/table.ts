/** All commands, in the order of /help. */
import type { Command } from "./command.ts";
import { infoCommands } from "./info.ts";
import { levelCommands } from "./levels.ts";
import { modelCommand } from "./model.ts";
import { chatCommands } from "./chat.ts";
import { operateCommands } from "./operate.ts";
import { sessionCommands } from "./session.ts";
import { contextCommand } from "./context.ts";

export const commands: readonly Command[] = [
  ...infoCommands(() => commands),
  ...sessionCommands,
  ...levelCommands,
  modelCommand,
  contextCommand,
  ...chatCommands,
  ...operateCommands,
];

const byName: ReadonlyMap<string, Command> = new Map(
  commands.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const)),
);

/** The command of a name or alias, whatever its case. */
export const findCommand = (name: string): Command | undefined => byName.get(name.toLowerCase());
