import { Dialog } from "../ui/index.ts";

const mac = (): boolean => /mac|iphone|ipad/i.test(navigator.platform);

/** The name of the modifier on this keyboard. */
export const commandKey = (): string => (mac() ? "⌘" : "Ctrl");

export function KeysDialog({ onClose }: { onClose: () => void }) {
  const rows: readonly (readonly [string, string])[] = [
    [`${commandKey()} K`, "Go to a session, a view or a command"],
    ["?", "This list"],
    ["Enter", "Send the message"],
    ["Shift Enter", "New line in the message"],
    ["Esc", "Stop the reply; close what is open"],
    ["↑", "In an empty message: the one sent last"],
    ["/", "In an empty message: the commands of the chat"],
    [`${commandKey()} Shift O`, "New conversation"],
  ];
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="keys dialog-body">
        {rows.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
