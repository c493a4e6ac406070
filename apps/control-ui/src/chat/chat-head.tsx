/** The line above a conversation: session, model, thinking, usage, and what can be done with the session. */
import { Brain, BrainCircuit, Eraser, Focus, Pencil, Plus, Trash2 } from "lucide-preact";
import { useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { count } from "../app/format.ts";
import { plainError } from "../gateway/index.ts";
import { Button, Confirm, Dialog, Field, IconButton, Menu, Select } from "../ui/index.ts";
import type { Conversation } from "./conversation.ts";
import { SessionPicker } from "./session-picker.tsx";
import { keyTitle, sessionTitle } from "./session-title.ts";

const levels = ["off", "minimal", "low", "medium", "high", "xhigh"];

type Asking = "rename" | "reset" | "delete" | undefined;

export function ChatHead({ conversation }: { conversation: Conversation }) {
  const { link, router, settings, conversations } = useApp();
  const [asking, setAsking] = useState<Asking>();
  const { sessionKey } = conversation;
  const connected = link.connected.value;
  const admin = link.may("operator.admin");
  const main = sessionKey === link.hello.value?.snapshot.sessionDefaults?.mainSessionKey;
  const blocked = admin ? {} : { disabled: true, title: "Needs the scope operator.admin" };
  const { chatShowThinking, chatFocusMode } = settings.current;
  return (
    <header class="chat-head">
      <SessionPicker sessionKey={sessionKey} />
      <div class="chat-tools">
        <ContextUse sessionKey={sessionKey} />
        <Pickers conversation={conversation} disabled={!connected || !admin} />
        <IconButton
          icon={Plus}
          label="New conversation"
          onClick={() => router.go(router.href("/chat", conversations.newKey()))}
        />
        <Menu
          label="Session"
          items={[
            { label: "Rename", icon: Pencil, run: () => setAsking("rename"), disabled: !connected, ...blocked },
            {
              label: chatShowThinking ? "Hide thinking" : "Show thinking",
              icon: chatShowThinking ? BrainCircuit : Brain,
              run: () => settings.change({ chatShowThinking: !chatShowThinking }),
            },
            {
              label: chatFocusMode ? "Show the navigation" : "Hide the navigation",
              icon: Focus,
              run: () => settings.change({ chatFocusMode: !chatFocusMode }),
            },
            { label: "Start over", icon: Eraser, run: () => setAsking("reset"), disabled: !connected, ...blocked },
            {
              label: "Delete",
              icon: Trash2,
              danger: true,
              run: () => setAsking("delete"),
              disabled: !connected || main,
              ...(main ? { title: "The main session cannot be deleted" } : blocked),
            },
          ]}
        />
      </div>
      <Questions asking={asking} conversation={conversation} onClose={() => setAsking(undefined)} />
    </header>
  );
}

function ContextUse({ sessionKey }: { sessionKey: string }) {
  const row = useApp().conversations.row(sessionKey);
  if (!row || row.totalTokens === 0) return null;
  const window = row.contextTokens ?? 0;
  const part = window > 0 ? Math.min(100, Math.round((row.totalTokens / window) * 100)) : undefined;
  const text = part === undefined ? `${count(row.totalTokens)} tokens` : `${part} % of context`;
  return (
    <span class="context-use dim small number" title={`${row.totalTokens} tokens${window > 0 ? ` of ${window}` : ""}`}>
      {text}
    </span>
  );
}

function Pickers({ conversation, disabled }: { conversation: Conversation; disabled: boolean }) {
  const { link, conversations, toasts } = useApp();
  const { sessionKey } = conversation;
  const row = conversations.row(sessionKey);
  const models = conversations.models.value;
  const standard = conversations.defaultModel.value;
  const current = row?.model ? [row.modelProvider, row.model].filter(Boolean).join("/") : standard;
  const known = models.map((model) => ({ value: `${model.provider}/${model.id}`, label: model.name }));
  const options =
    current === undefined || known.some(({ value }) => value === current)
      ? known
      : [{ value: current, label: current }, ...known];
  const patch = async (change: { model?: string | null; thinkingLevel?: string }) => {
    try {
      await link.call("sessions.patch", { key: sessionKey, ...change });
      await Promise.all([conversations.list(), conversation.refresh()]);
    } catch (error) {
      toasts.show(plainError(error), { tone: "bad" });
    }
  };
  const thinking = conversation.thinking.value ?? row?.thinkingLevel ?? "off";
  return (
    <>
      {options.length > 0 && (
        <Select
          aria-label="Model"
          title="Model of this session"
          class="quiet model-select"
          value={current ?? ""}
          disabled={disabled}
          options={options}
          onPick={(value) => void patch({ model: value === standard ? null : value })}
        />
      )}
      <Select
        aria-label="Thinking level"
        title="How long the model thinks before it answers"
        class="quiet thinking-select"
        value={levels.includes(thinking) ? thinking : "off"}
        disabled={disabled}
        options={levels.map((level) => ({ value: level, label: level === "off" ? "No thinking" : `Think: ${level}` }))}
        onPick={(value) => void patch({ thinkingLevel: value })}
      />
    </>
  );
}

function Questions({
  asking,
  conversation,
  onClose,
}: {
  asking: Asking;
  conversation: Conversation;
  onClose: () => void;
}) {
  const { link, router, conversations, toasts } = useApp();
  const { sessionKey } = conversation;
  const row = conversations.row(sessionKey);
  const title = row ? sessionTitle(row) : keyTitle(sessionKey);
  const run = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
    } catch (error) {
      throw new Error(plainError(error), { cause: error });
    }
    toasts.announce(done);
  };
  if (asking === "rename") return <Rename sessionKey={sessionKey} label={row?.label ?? ""} onClose={onClose} />;
  if (asking === "reset")
    return (
      <Confirm
        title="Start this session over?"
        action="Start over"
        onClose={onClose}
        onConfirm={() =>
          run(async () => {
            await link.call("sessions.reset", { key: sessionKey });
            await conversation.refresh();
          }, "The session starts over.")
        }
      >
        <p>
          The agent forgets the conversation <b>{title}</b>. Model, name and levels stay.
        </p>
      </Confirm>
    );
  if (asking !== "delete") return null;
  return (
    <Confirm
      title="Delete this session?"
      action="Delete"
      onClose={onClose}
      onConfirm={() =>
        run(async () => {
          await link.call("sessions.delete", { key: sessionKey });
          conversations.forget(sessionKey);
          router.go(router.href("/chat", "main"), { replace: true });
        }, "The session was deleted.")
      }
    >
      <p>
        <b>{title}</b> and its messages are removed. A reply that is being written is stopped.
      </p>
    </Confirm>
  );
}

function Rename({ sessionKey, label, onClose }: { sessionKey: string; label: string; onClose: () => void }) {
  const { link, conversations } = useApp();
  const [text, setText] = useState(label);
  const [error, setError] = useState<string>();
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await link.call("sessions.patch", { key: sessionKey, label: text.trim() === "" ? null : text.trim() });
      await conversations.list();
      onClose();
    } catch (failure) {
      setError(plainError(failure));
    }
  };
  return (
    <Dialog title="Rename the session" onClose={onClose}>
      <form class="dialog-body" onSubmit={(event) => void submit(event)}>
        <Field label="Name" help="Empty: the name it has by itself." error={error}>
          {(attributes) => (
            <input
              {...attributes}
              value={text}
              maxLength={64}
              autofocus
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary">
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
