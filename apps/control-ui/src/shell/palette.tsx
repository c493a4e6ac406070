/** ⌘K: one list of everything a person may want to go to or do. */
import { MessageSquare, Plus, RotateCw, SunMoon, type LucideIcon } from "lucide-preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useApp, type App } from "../app/app.ts";
import { relative } from "../app/format.ts";
import { sessionTitle } from "../chat/session-title.ts";
import { Dialog } from "../ui/index.ts";
import { views } from "../views/catalogue.ts";

interface Entry {
  id: string;
  title: string;
  detail: string;
  icon: LucideIcon;
  run: () => void;
}

const shown = 60;

export function Palette({ onClose }: { onClose: () => void }) {
  const app = useApp();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const { sessions } = app.conversations;
  const all = useMemo(() => entriesOf(app), [sessions.value]);
  useEffect(() => void app.conversations.list(), []);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all
    .filter((entry) => words.every((word) => `${entry.title} ${entry.detail}`.toLowerCase().includes(word)))
    .slice(0, shown);
  const chosen = Math.min(at, found.length - 1);
  const pick = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const move = (event: KeyboardEvent) => {
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      pick(found[chosen]);
    } else if (to !== undefined && found.length > 0) {
      event.preventDefault();
      const next = (to + found.length) % found.length;
      setAt(next);
      list.current?.children[next]?.scrollIntoView({ block: "nearest" });
    }
  };
  return (
    <Dialog title="Go to" onClose={onClose} class="palette">
      <input
        type="text"
        role="combobox"
        aria-label="Search sessions, views and commands"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined}
        placeholder="Sessions, views, commands"
        autocomplete="off"
        autofocus
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={move}
      />
      <ul id="palette-list" role="listbox" aria-label="Results" ref={list}>
        {found.map((entry, index) => (
          <li
            key={entry.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setAt(index)}
            onClick={() => pick(entry)}
          >
            <entry.icon size={16} aria-hidden="true" />
            <span class="palette-title">{entry.title}</span>
            <span class="dim small">{entry.detail}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="dim palette-none">Nothing is called that.</p>}
    </Dialog>
  );
}

function entriesOf({ link, router, settings, conversations }: App): Entry[] {
  const now = Date.now();
  const sessions = conversations.sessions.value.map((row) => ({
    id: `session:${row.key}`,
    title: sessionTitle(row),
    detail: row.updatedAt === null ? row.key : relative(row.updatedAt, now),
    icon: MessageSquare,
    run: () => router.go(router.href("/chat", row.key)),
  }));
  const places = views
    .filter((view) => view.needs.every((method) => link.offers(method)))
    .map((view) => ({
      id: `view:${view.path}`,
      title: view.title,
      detail: view.summary,
      icon: view.icon,
      run: () => router.go(router.href(view.path)),
    }));
  const actions: Entry[] = [
    {
      id: "new",
      title: "New conversation",
      detail: "A session of its own",
      icon: Plus,
      run: () => router.go(router.href("/chat", conversations.newKey())),
    },
    {
      id: "theme",
      title: "Switch between light and dark",
      detail: "Theme",
      icon: SunMoon,
      run: () => settings.change({ theme: isDark() ? "light" : "dark" }),
    },
    { id: "retry", title: "Connect again", detail: link.url, icon: RotateCw, run: () => link.restart() },
  ];
  return [...places, ...actions, ...sessions];
}

function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
}
