/** Which session is open, and the way to another one: a list with search, the main session first. */
import { ChevronDown, Plus } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { relative } from "../app/format.ts";
import { Button } from "../ui/index.ts";
import { isMain, keyTitle, sessionTitle, type SessionRow } from "./session-title.ts";

export function SessionPicker({ sessionKey }: { sessionKey: string }) {
  const { conversations } = useApp();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const row = conversations.row(sessionKey);
  const title = row ? sessionTitle(row) : keyTitle(sessionKey);
  const others = Object.entries(conversations.unread.value).reduce(
    (sum, [key, count]) => sum + (key === sessionKey ? 0 : count),
    0,
  );
  useEffect(() => {
    document.title = `${others > 0 ? `(${others}) ` : ""}${title} · OpenClaw`;
  }, [title, others]);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  return (
    <div class="session-picker" ref={root}>
      <button
        type="button"
        class="session-button"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <h1>{title}</h1>
        {others > 0 && (
          <span class="unread" title="Unread replies elsewhere">
            {others}
          </span>
        )}
        <ChevronDown size={16} aria-hidden="true" />
        <span class="sr-only">Switch session</span>
      </button>
      {open && <SessionList sessionKey={sessionKey} onClose={close} />}
    </div>
  );
}

function SessionList({ sessionKey, onClose }: { sessionKey: string; onClose: () => void }) {
  const { conversations, router } = useApp();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => void conversations.list(), []);
  const now = Date.now();
  const words = text.toLowerCase();
  const rows = ordered(conversations.sessions.value).filter((row) =>
    `${sessionTitle(row)} ${row.key} ${row.subject ?? ""}`.toLowerCase().includes(words),
  );
  const go = (key: string) => {
    onClose();
    router.go(router.href("/chat", key));
  };
  const press = (event: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      onClose();
    } else if (to !== undefined && rows.length > 0) {
      event.preventDefault();
      setAt((to + rows.length) % rows.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const row = rows[at];
      if (row) go(row.key);
    }
  };
  return (
    <div class="session-list" role="dialog" aria-label="Sessions">
      <input
        type="text"
        role="combobox"
        aria-label="Search sessions"
        aria-expanded="true"
        aria-controls="session-options"
        aria-activedescendant={rows[at] ? `session-${at}` : undefined}
        placeholder="Search sessions"
        autocomplete="off"
        ref={(element) => element?.focus()}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul id="session-options" role="listbox" aria-label="Sessions">
        {rows.map((row, index) => (
          <li
            key={row.key}
            id={`session-${index}`}
            role="option"
            aria-selected={index === at}
            aria-current={row.key === sessionKey}
            onPointerMove={() => setAt(index)}
            onClick={() => go(row.key)}
          >
            <span class="session-name">{sessionTitle(row)}</span>
            {conversations.unread.value[row.key] !== undefined && (
              <span class="unread">{conversations.unread.value[row.key]} new</span>
            )}
            <span class="dim small">{row.updatedAt === null ? "" : relative(row.updatedAt, now)}</span>
          </li>
        ))}
      </ul>
      {rows.length === 0 && <p class="dim small palette-none">No session is called that.</p>}
      <Button icon={Plus} kind="plain" onClick={() => go(conversations.newKey())}>
        New conversation
      </Button>
    </div>
  );
}

/** Main sessions first, then by the last change. */
function ordered(rows: readonly SessionRow[]): SessionRow[] {
  const main = (row: SessionRow) => Number(isMain(row.key));
  return [...rows].sort((a, b) => main(b) - main(a) || (b.updatedAt ?? 0) - (a.updatedAt ?? 0));
}
