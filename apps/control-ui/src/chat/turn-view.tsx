/** One message as it is drawn: what a person wrote is a quiet block, what the agent wrote stands on the page. */
import { BrainCircuit, ChevronRight, CircleAlert, CircleSlash, RotateCw, X } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { count, exact } from "../app/format.ts";
import { Button, Clock, CopyButton } from "../ui/index.ts";
import type { Face } from "./agent-face.ts";
import type { Conversation, Remains } from "./conversation.ts";
import type { LiveRun } from "./live-run.ts";
import { Markdown } from "./markdown-view.tsx";
import type { Outgoing } from "./outgoing.ts";
import { Picture } from "./picture.tsx";
import { ToolCard } from "./tool-card.tsx";
import { turnText, type Part, type Turn, type TurnUsage } from "./turns.ts";

interface TurnProps {
  turn: Turn;
  face: Face;
  /** Asks the same once more; with the last turn only. */
  again?: (() => void) | undefined;
}

export const TurnView = memo(({ turn, face, again }: TurnProps) => {
  if (turn.role === "user") return <UserTurn turn={turn} />;
  if (turn.role === "system") return <SystemTurn turn={turn} />;
  return (
    <article class="turn assistant" aria-label={`${face.name}, ${exact(turn.at)}`}>
      {turn.first && (
        <header class="turn-head">
          <FaceView face={face} />
          <span class="dim small">
            <Clock at={turn.at} />
          </span>
        </header>
      )}
      <Parts parts={turn.parts} />
      {turn.stopped === true && <Ended text="Stopped" />}
      {turn.error !== undefined && <Failed text={turn.error} />}
      {turn.error !== undefined && again && <AskAgain run={again} />}
      {turn.last && <TurnFoot turn={turn} />}
    </article>
  );
});

function FaceView({ face }: { face: Face }) {
  return (
    <>
      {face.picture !== undefined && <img class="face" src={face.picture} alt="" width={22} height={22} />}
      {face.picture === undefined && face.emoji !== undefined && <span aria-hidden="true">{face.emoji}</span>}
      <b>{face.name}</b>
    </>
  );
}

function UserTurn({ turn }: { turn: Turn }) {
  return (
    <article class="turn user" aria-label={`You, ${exact(turn.at)}`}>
      <div class="bubble">
        <UserParts parts={turn.parts} />
      </div>
      <footer class="turn-foot">
        <Clock at={turn.at} />
        <CopyButton text={() => turnText(turn)} label="Copy the message" />
      </footer>
    </article>
  );
}

const UserParts = ({ parts }: { parts: readonly Part[] }) => (
  <>
    {parts.map((part, index) => {
      if (part.kind === "text")
        return (
          <p key={index} class="written">
            {part.text}
          </p>
        );
      if (part.kind === "image") return <Picture key={index} src={part.src} name="attached picture" />;
      return <PartView key={index} part={part} live={false} />;
    })}
  </>
);

function SystemTurn({ turn }: { turn: Turn }) {
  return (
    <article class="turn system" aria-label="Note">
      <Parts parts={turn.parts} />
    </article>
  );
}

function Parts({ parts, live = false }: { parts: readonly Part[]; live?: boolean }) {
  return (
    <>
      {parts.map((part, index) => (
        <PartView
          key={part.kind === "tool" ? part.call.id : index}
          part={part}
          live={live && index === parts.length - 1}
        />
      ))}
    </>
  );
}

function PartView({ part, live }: { part: Part; live: boolean }) {
  const { settings } = useApp();
  switch (part.kind) {
    case "text":
      return <Markdown text={part.text} live={live} />;
    case "image":
      return <Picture src={part.src} name="picture" />;
    case "tool":
      return <ToolCard call={part.call} />;
    case "thinking":
      return settings.current.chatShowThinking ? <Folded title="Thinking" text={part.text} /> : null;
    case "unknown":
      return <Folded title="Something this page does not know" text={part.json} />;
  }
}

function Folded({ title, text }: { title: string; text: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="folded">
      <button type="button" class="tool-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={14} aria-hidden="true" class="tool-chevron" />
        <BrainCircuit size={15} aria-hidden="true" />
        <span class="tool-name">{title}</span>
        <span class="tool-detail">{open ? "" : (text.split("\n")[0] ?? "").slice(0, 160)}</span>
      </button>
      {open && <div class="folded-body">{text}</div>}
    </div>
  );
}

const Ended = ({ text }: { text: string }) => (
  <p class="ended">
    <CircleSlash size={14} aria-hidden="true" /> {text}
  </p>
);

function Failed({ text }: { text: string }) {
  return (
    <div class="failed" role="note">
      <CircleAlert size={16} aria-hidden="true" />
      <p>{text}</p>
    </div>
  );
}

function TurnFoot({ turn }: { turn: Turn }) {
  const text = turnText(turn);
  if (text === "" && !turn.usage) return null;
  return (
    <footer class="turn-foot">
      {text !== "" && <CopyButton text={text} label="Copy as Markdown" />}
      {turn.usage && <UsageLine usage={turn.usage} model={turn.model} />}
    </footer>
  );
}

function UsageLine({ usage, model }: { usage: TurnUsage; model: string | undefined }) {
  const read = usage.input + usage.cacheRead;
  const cost = usage.cost >= 0.0001 ? ` · $${usage.cost < 0.01 ? usage.cost.toFixed(4) : usage.cost.toFixed(2)}` : "";
  const title = `${usage.input} tokens in, ${usage.cacheRead} from cache, ${usage.output} tokens out`;
  return (
    <span title={title} class="number">
      {model === undefined ? "" : `${model} · `}
      {count(read)} in, {count(usage.output)} out{cost}
    </span>
  );
}

export function LiveView({ run, face }: { run: LiveRun; face: Face }) {
  const last = run.parts.at(-1);
  if (run.over)
    return (
      <article class="turn assistant" aria-label={face.name}>
        <header class="turn-head">
          <FaceView face={face} />
        </header>
        <Parts parts={run.parts} />
      </article>
    );
  const waiting = last === undefined || (last.kind === "tool" && last.call.state !== "running");
  return (
    <article class="turn assistant live" aria-busy="true" aria-label={`${face.name} is replying`}>
      <header class="turn-head">
        <FaceView face={face} />
        <span class="dim small">{run.compacting ? "shortening the history" : "replying"}</span>
      </header>
      <Parts parts={run.parts} live />
      {waiting && (
        <p class="waiting" aria-hidden="true">
          <span class="caret" />
        </p>
      )}
    </article>
  );
}

function AskAgain({ run, children }: { run: () => void; children?: ComponentChildren }) {
  const { link } = useApp();
  return (
    <div class="row">
      <Button icon={RotateCw} disabled={!link.connected.value} onClick={run}>
        Ask again
      </Button>
      {children}
    </div>
  );
}

export function RemainsView({ remains, conversation }: { remains: Remains; conversation: Conversation }) {
  return (
    <article class="turn assistant" aria-label="A reply that ended early">
      {remains.text !== "" && <Markdown text={remains.text} />}
      {remains.error === undefined ? <Ended text="Stopped" /> : <Failed text={remains.error} />}
      {remains.error !== undefined && (
        <AskAgain run={() => conversation.askAgain()}>
          <Button kind="plain" onClick={() => conversation.dismissRemains()}>
            Dismiss
          </Button>
        </AskAgain>
      )}
    </article>
  );
}

/** A message on its way. It looks like one that arrived, with its state below. */
export function OutgoingView({ message, conversation }: { message: Outgoing; conversation: Conversation }) {
  const { link } = useApp();
  const connected = link.connected.value;
  return (
    <article class={`turn user ${message.state}`} aria-label="You">
      <div class="bubble">
        {message.text !== "" && <p class="written">{message.text}</p>}
        {message.attachments.map((attachment) => (
          <Picture
            key={attachment.name}
            src={`data:${attachment.mimeType};base64,${attachment.data}`}
            name={attachment.name}
          />
        ))}
      </div>
      {message.state === "sending" && (
        <footer class="turn-foot shown">
          {connected ? "Sending" : "Not sent yet: it goes out when the gateway is back"}
        </footer>
      )}
      {message.state === "failed" && (
        <footer class="turn-foot shown bad" role="alert">
          <CircleAlert size={14} aria-hidden="true" />
          <span>Not sent. {message.error}</span>
          <Button kind="plain" icon={RotateCw} disabled={!connected} onClick={() => conversation.retry(message.key)}>
            Try again
          </Button>
          <Button kind="plain" icon={X} onClick={() => conversation.discard(message.key)}>
            Discard
          </Button>
        </footer>
      )}
    </article>
  );
}
