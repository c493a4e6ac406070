/** The command menu as the platform takes it (channels.md §7.6). Pure. */

const maxCommands = 100;
const maxDescriptionChars = 256;

export interface Menu {
  menu: { command: string; description: string }[];
  refused: { name: string; reason: string }[];
}

const commandOf = (name: string) => name.trim().replace(/^\//u, "").replaceAll("-", "_").toLowerCase();

/** Earlier entries win over later ones of the same name. `known` are all commands there are, offered or not: what is typed means
 *  them, so no other entry takes their names. */
export function menuOf(
  commands: readonly { name: string; description: string }[],
  known: readonly { name: string }[] = [],
): Menu {
  const menu = new Map<string, string>();
  const taken = new Set(known.map(({ name }) => commandOf(name)));
  const own = new Set<unknown>(known);
  const refused: Menu["refused"] = [];
  for (const entry of commands) {
    const { name, description } = entry;
    const command = commandOf(name);
    const text = description.trim().slice(0, maxDescriptionChars);
    const reason = !/^[a-z0-9_]{1,32}$/u.test(command)
      ? "names have 1 to 32 of a-z, 0-9 and _"
      : text === ""
        ? "it has no description"
        : menu.has(command) || (taken.has(command) && !own.has(entry))
          ? "the name is taken"
          : menu.size >= maxCommands
            ? `the menu has room for ${maxCommands}`
            : undefined;
    if (reason === undefined) menu.set(command, text);
    else refused.push({ name: name.slice(0, 64), reason });
  }
  return { menu: [...menu].map(([command, description]) => ({ command, description })), refused };
}
