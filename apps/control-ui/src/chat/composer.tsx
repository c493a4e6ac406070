/** Where a message is written. Its text is kept per session over reloads; commands open after a slash; while a reply is being
 *  written the next messages wait and "stop" stands where "send" was. */
import { ArrowUp, ListPlus, Paperclip, Square, X } from "lucide-preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { IconButton } from "../ui/index.ts";
import { accepted, fitsFrame, toAttachment } from "./attachments.ts";
import { CommandMenu, commandsFor } from "./command-menu.tsx";
import type { Conversation } from "./conversation.ts";
import type { SlashCommand } from "./conversations.ts";
import { readDraft, storeDraft } from "./draft.ts";
import type { Attachment } from "./outgoing.ts";
import { turnText } from "./turns.ts";

const fallbackPayload = 26_214_400;

export function Composer({ conversation, onSent }: { conversation: Conversation; onSent: () => void }) {
  const { link, toasts, conversations } = useApp();
  const [text, setText] = useState(() => readDraft(conversation.sessionKey));
  const [dragging, setDragging] = useState(false);
  const [chosen, setChosen] = useState(0);
  const [closedFor, setClosedFor] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const { drafted } = conversation;
  const attachments = drafted.value;
  const busy = conversation.busy.value;
  const waiting = conversation.outgoing.value.filter(({ state }) => state === "waiting");
  const commands = closedFor === text ? [] : commandsFor(text, conversations.commands.value);
  const empty = text.trim() === "" && attachments.length === 0;

  const write = (value: string) => {
    setText(value);
    setChosen(0);
    storeDraft(conversation.sessionKey, value);
  };

  // Grows with its text, up to two fifths of the window.
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text]);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) area.current?.focus({ preventScroll: true });
  }, []);

  const attach = async (files: Iterable<File>) => {
    const added: Attachment[] = [];
    for (const file of files) {
      const result = await toAttachment(file, drafted.peek().length + added.length);
      if ("refused" in result) toasts.show(result.refused, { tone: "bad" });
      else added.push(result.attachment);
    }
    if (added.length > 0) drafted.value = [...drafted.peek(), ...added];
  };

  const send = () => {
    if (empty) return;
    if (!fitsFrame(text, attachments, link.hello.value?.policy.maxPayload ?? fallbackPayload)) {
      toasts.show("This message is larger than the gateway accepts. Remove a picture or shorten the text.", {
        tone: "bad",
      });
      return;
    }
    const sent = conversation.send(text.trim(), attachments);
    if (sent === "full") {
      toasts.show("Too many messages wait already. Let some of them be answered first.", { tone: "bad" });
      return;
    }
    write("");
    if (sent === "stop") return void stop();
    drafted.value = [];
    onSent();
  };

  const stop = async () => {
    const problem = await conversation.stop();
    if (problem !== undefined) toasts.show(`The reply could not be stopped. ${problem}`, { tone: "bad" });
  };

  const take = (command: SlashCommand) => {
    write(`/${command.name}${command.args === "" ? "" : " "}`);
    if (command.args === "") setClosedFor(`/${command.name}`);
    area.current?.focus();
  };

  const press = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const shown = commands.length > 0;
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    const command = commands[Math.min(chosen, commands.length - 1)];
    if (shown && to !== undefined) {
      event.preventDefault();
      setChosen((to + commands.length) % commands.length);
    } else if (shown && command && (event.key === "Tab" || (event.key === "Enter" && !exactly(command, text)))) {
      event.preventDefault();
      take(command);
    } else if (event.key === "Escape" && (shown || busy)) {
      event.preventDefault();
      if (shown) setClosedFor(text);
      else void stop();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && text === "") {
      const last = conversation.turns.peek().findLast((turn) => turn.role === "user");
      if (last) {
        event.preventDefault();
        write(turnText(last));
      }
    }
  };

  return (
    <form
      class={`composer ${dragging ? "dragging" : ""}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setDragging(true);
      }}
      onDragLeave={() => setDragging(false)}
      onDrop={(event) => {
        event.preventDefault();
        setDragging(false);
        void attach(event.dataTransfer?.files ?? []);
      }}
    >
      {waiting.length > 0 && (
        <ul class="queue" aria-label="Waiting to be sent">
          {waiting.map((message) => (
            <li key={message.key} class="queued">
              <span>{message.text === "" ? "picture" : message.text}</span>
              <IconButton
                icon={X}
                label={`Remove: ${message.text.slice(0, 40)}`}
                onClick={() => conversation.discard(message.key)}
              />
            </li>
          ))}
        </ul>
      )}
      {attachments.length > 0 && (
        <ul class="attached" aria-label="Attached pictures">
          {attachments.map((attachment, index) => (
            <li key={index}>
              <img src={`data:${attachment.mimeType};base64,${attachment.data}`} alt={attachment.name} />
              <IconButton
                icon={X}
                label={`Remove ${attachment.name}`}
                onClick={() => (drafted.value = attachments.filter((other) => other !== attachment))}
              />
            </li>
          ))}
        </ul>
      )}
      {commands.length > 0 && <CommandMenu commands={commands} chosen={chosen} onPick={take} onPoint={setChosen} />}
      <div class="composer-box">
        <IconButton icon={Paperclip} label="Attach pictures" onClick={() => picker.current?.click()} />
        <input
          ref={picker}
          type="file"
          hidden
          multiple
          accept={accepted.join(",")}
          onChange={(event) => {
            void attach(event.currentTarget.files ?? []);
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={area}
          rows={1}
          aria-label="Message"
          placeholder={busy ? "The next message" : "Message, or / for commands"}
          value={text}
          aria-controls={commands.length > 0 ? "command-menu" : undefined}
          aria-activedescendant={commands.length > 0 ? `command-${chosen}` : undefined}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={press}
          onPaste={(event) => {
            const files = [...(event.clipboardData?.files ?? [])];
            if (files.length === 0) return;
            event.preventDefault();
            void attach(files);
          }}
        />
        {busy && !empty && <IconButton icon={ListPlus} label="Send after this reply" class="send" type="submit" />}
        {busy ? (
          <IconButton
            icon={Square}
            label="Stop the reply"
            class="stop"
            disabled={!link.connected.value}
            onClick={() => void stop()}
          />
        ) : (
          <IconButton icon={ArrowUp} label="Send" class="send" type="submit" disabled={empty} />
        )}
      </div>
    </form>
  );
}

const exactly = (command: SlashCommand, text: string): boolean =>
  [command.name, ...command.aliases].some((name) => text.trim() === `/${name}`);
