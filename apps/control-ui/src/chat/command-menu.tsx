import { useEffect, useRef } from "preact/hooks";
import type { SlashCommand } from "./conversations.ts";

/** Commands that begin with what stands after the slash; none once arguments follow. */
export function commandsFor(text: string, commands: readonly SlashCommand[]): SlashCommand[] {
  const typed = /^\/(\S*)$/.exec(text)?.[1]?.toLowerCase();
  if (typed === undefined) return [];
  return commands.filter(({ name, aliases }) =>
    [name, ...aliases].some((word) => word.toLowerCase().startsWith(typed)),
  );
}

interface CommandMenuProps {
  commands: readonly SlashCommand[];
  chosen: number;
  onPick: (command: SlashCommand) => void;
  onPoint: (index: number) => void;
}

/** The list above the composer. The keys are the composer's: the focus stays in the text. */
export function CommandMenu({ commands, chosen, onPick, onPoint }: CommandMenuProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <ul class="command-menu" id="command-menu" role="listbox" aria-label="Commands" tabIndex={0} ref={list}>
      {commands.map((command, index) => (
        <li
          key={command.name}
          id={`command-${index}`}
          role="option"
          aria-selected={index === chosen}
          onPointerMove={() => onPoint(index)}
          onPointerDown={(event) => {
            event.preventDefault();
            onPick(command);
          }}
        >
          <code>/{command.name}</code>
          {command.args !== "" && <span class="dim mono">{command.args}</span>}
          <span class="dim small">{command.description}</span>
        </li>
      ))}
    </ul>
  );
}
