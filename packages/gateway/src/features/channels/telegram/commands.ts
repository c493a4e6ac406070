/** The command menu as the platform takes it (channels.md §7.6). Pure. */

const maxCommands = 100;
const maxDescriptionChars = 256;

export interface Menu {
  menu: { command: string; description: string }[];
  refused: { name: string; reason: string }[];
}

/** Earlier entries win over later ones of the same name. */
export function menuOf(commands: readonly { name: string; description: string }[]): Menu {
  const menu = new Map<string, string>();
  const refused: Menu["refused"] = [];
  for (const { name, description } of commands) {
    const command = name.trim().replace(/^\//u, "").replaceAll("-", "_").toLowerCase();
    const text = description.trim().slice(0, maxDescriptionChars);
    const reason = !/^[a-z0-9_]{1,32}$/u.test(command)
      ? "names have 1 to 32 of a-z, 0-9 and _"
      : text === ""
        ? "it has no description"
        : menu.has(command)
          ? "the name is taken"
          : menu.size >= maxCommands
            ? `the menu has room for ${maxCommands}`
            : undefined;
    if (reason === undefined) menu.set(command, text);
    else refused.push({ name: name.slice(0, 64), reason });
  }
  return { menu: [...menu].map(([command, description]) => ({ command, description })), refused };
}
