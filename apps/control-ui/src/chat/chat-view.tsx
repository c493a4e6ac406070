/** The conversation: its line of tools, its messages, and where the next one is written. */
import { MessageSquare } from "lucide-preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { useApp } from "../app/app.ts";
import { Button, Empty, ErrorNotice, Skeleton } from "../ui/index.ts";
import { agentFace } from "./agent-face.ts";
import { BesidePanel, OpenBeside, type Beside } from "./beside.tsx";
import { ChatHead } from "./chat-head.tsx";
import { Composer } from "./composer.tsx";
import type { Conversation } from "./conversation.ts";
import { MessageList, type Row } from "./message-list.tsx";
import { Positions, type Anchor } from "./positions.ts";
import { LiveView, OutgoingView, RemainsView, TurnView } from "./turn-view.tsx";

let kept: Positions | undefined;
const positions = (): Positions => (kept ??= new Positions());

export default function ChatView() {
  const { conversations } = useApp();
  const key = conversations.currentKey.value;
  const conversation = useMemo(() => conversations.get(key), [key]);
  useEffect(() => conversations.visited(key), [key]);
  return <Chat key={key} conversation={conversation} />;
}

function Chat({ conversation }: { conversation: Conversation }) {
  const { settings } = useApp();
  const [sent, setSent] = useState(0);
  const [beside, setBeside] = useState<Beside>();
  const { splitRatio } = settings.current;
  return (
    <div class="chat" data-session={conversation.sessionKey}>
      <ChatHead conversation={conversation} />
      <OpenBeside.Provider value={setBeside}>
        <div class="chat-body" style={beside ? { "--split": `${splitRatio * 100}%` } : undefined}>
          <div class={beside ? "chat-column split" : "chat-column"}>
            <Messages conversation={conversation} sent={sent} />
            <Composer conversation={conversation} onSent={() => setSent(sent + 1)} />
          </div>
          {beside && (
            <BesidePanel key={beside.title + beside.text} content={beside} onClose={() => setBeside(undefined)} />
          )}
        </div>
      </OpenBeside.Provider>
    </div>
  );
}

function Messages({ conversation, sent }: { conversation: Conversation; sent: number }) {
  const app = useApp();
  const { link } = app;
  const { loaded, older, error } = conversation.state.value;
  const agents = app.conversations.agents.value;
  const face = useMemo(() => agentFace(app, conversation.sessionKey), [agents, conversation]);
  const turns = conversation.turns.value;
  const live = conversation.live.value;
  const remains = conversation.remains.value;
  const outgoing = conversation.outgoing.value.filter(({ state }) => state !== "waiting");
  const again = useCallback(() => conversation.askAgain(), [conversation]);
  const rows = useMemo((): Row[] => {
    const last = turns.at(-1);
    const failed = last?.error !== undefined && !live && outgoing.length === 0 ? last : undefined;
    const list = turns.map((turn): Row => ({
      key: turn.id,
      draw: () => <TurnView turn={turn} face={face} again={turn === failed ? again : undefined} />,
    }));
    for (const message of outgoing)
      list.push({ key: message.key, draw: () => <OutgoingView message={message} conversation={conversation} /> });
    if (live) list.push({ key: `live:${live.runId}`, draw: () => <LiveView run={live} face={face} /> });
    if (remains)
      list.push({
        key: `remains:${remains.runId}`,
        draw: () => <RemainsView remains={remains} conversation={conversation} />,
      });
    return list;
  }, [turns, outgoing.map(({ key, state }) => key + state).join(" "), live, remains, face, link.connected.value]);
  const position = useMemo(
    () => ({
      get: () => {
        const anchor = positions().get(conversation.sessionKey);
        conversation.readerAtEnd = anchor === undefined;
        return anchor;
      },
      set: (anchor: Anchor | undefined) => {
        conversation.readerAtEnd = anchor === undefined;
        positions().set(conversation.sessionKey, anchor);
      },
    }),
    [conversation],
  );
  if (!loaded && rows.length === 0) {
    if (error !== undefined && link.connected.value)
      return (
        <div class="messages">
          <ErrorNotice text={`Could not read the messages. ${error}`} retry={() => void conversation.refresh()} />
        </div>
      );
    return (
      <div class="messages">
        <Skeleton lines={6} label="Loading messages" />
      </div>
    );
  }
  if (rows.length === 0)
    return (
      <div class="messages">
        <Empty icon={MessageSquare} title={`Talk to ${face.name}`}>
          <p>Nothing has been said here yet. What you write goes to your own gateway.</p>
          <p class="hints">
            {["What can you do?", "/status", "/help"].map((hint) => (
              <Button key={hint} disabled={!link.connected.value} onClick={() => conversation.send(hint)}>
                {hint}
              </Button>
            ))}
          </p>
        </Empty>
      </div>
    );
  return (
    <MessageList
      rows={rows}
      jump={sent}
      onTop={() => void conversation.readOlder()}
      position={position}
      head={
        older === "none" ? undefined : (
          <p class="older dim small">{older === "loading" ? "Reading older messages" : "Older messages above"}</p>
        )
      }
    />
  );
}
