/** For whoever wants to know exactly: any method, every event, what this connection is. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { Eraser, Pause, Play } from "lucide-preact";
import type { EventPayload } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Ago, Button, Clock, Empty, Facts, Loaded, Page, SearchField, Section } from "../../ui/index.ts";
import "../../style/views.css";
import "./debug.css";
import { CallPanel } from "./call-panel.tsx";
import { EventLog, pretty, type SeenEvent } from "./event-log.ts";

export default function DebugView() {
  return (
    <Page title="Debug" lead="The control plane as it is.">
      <CallPanel />
      <Events />
      <Connection />
      <Snapshots />
    </Page>
  );
}

function Events() {
  const { link } = useApp();
  const log = useMemo(() => new EventLog(link), [link]);
  useEffect(() => log.open(), [log]);
  const [paused, setPaused] = useState(false);
  const [text, setText] = useState("");
  const words = text.toLowerCase();
  const shown = log.events.value.filter(({ name, text: body }) => `${name} ${body}`.toLowerCase().includes(words));
  const pause = (on: boolean) => {
    setPaused(on);
    log.pause(on);
  };
  return (
    <Section
      title="Events"
      actions={
        <>
          <Button icon={paused ? Play : Pause} aria-pressed={paused} onClick={() => pause(!paused)}>
            {paused ? "Follow" : "Pause"}
          </Button>
          <Button icon={Eraser} disabled={log.events.value.length === 0} onClick={() => log.clear()}>
            Clear
          </Button>
        </>
      }
    >
      <div class="toolbar">
        <SearchField label="Search the events" placeholder="Name or content" value={text} onText={setText} />
        {paused && log.missed.value > 0 && (
          <span class="dim small" role="status">
            {log.missed.value} came meanwhile and were not kept
          </span>
        )}
      </div>
      {shown.length === 0 ? (
        <Empty title={text === "" ? "No event yet" : "No event fits"}>
          <p>Events appear here as the gateway sends them: a tick at least every half minute.</p>
        </Empty>
      ) : (
        <ul class="events">
          {shown.map((event) => (
            <EventRow key={event.id} event={event} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function EventRow({ event: { name, at, seq, text } }: { event: SeenEvent }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <code>{name}</code> <span class="dim small number">{seq === undefined ? "targeted" : `#${seq}`}</span>{" "}
          <span class="dim small">
            <Clock at={at} />
          </span>{" "}
          <span class="event-peek dim small">{text.replace(/\s+/g, " ").slice(0, 160)}</span>
        </summary>
        {open && (
          <pre class="output" tabIndex={0} aria-label={`Content of ${name}`}>
            {text}
          </pre>
        )}
      </details>
    </li>
  );
}

function Connection() {
  const { link, version } = useApp();
  const hello = link.hello.value;
  if (!hello) return null;
  const { policy, auth, server, protocol, features } = hello;
  return (
    <Section title="This connection">
      <div class="card">
        <Facts
          rows={[
            ["Gateway", `${server.version}, protocol ${protocol}`],
            ["This page", version],
            ["Address", <code>{link.url}</code>],
            ["Connection", <span class="id">{server.connId}</span>],
            ["Scopes", auth?.scopes.join(", ") ?? "none told"],
            ["Methods", `${features.methods.length} methods, ${features.events.length} events`],
            ["Limits", `${policy.maxPayload} bytes per frame, tick every ${policy.tickIntervalMs / 1_000} s`],
          ]}
        />
      </div>
    </Section>
  );
}

function Snapshots() {
  const { link } = useApp();
  const snapshots = useQuery(link, "snapshots", {
    load: async (gateway) => {
      const names = ["status", "models.list", "last-heartbeat"].filter((name) => gateway.offers(name));
      return Promise.all(names.map(async (name) => ({ name, text: pretty(await gateway.callAny(name, {})) })));
    },
    everyMs: 3_000,
  });
  // Asked once, then as the gateway tells it: each asking would make it tell every client.
  const health = useQuery(link, "health", {
    load: (gateway) => gateway.call("health", {}),
    apply: { health: (_before, { payload }) => payload as EventPayload<"health"> },
    stateVersion: "health",
  });
  return (
    <Section title="Snapshots">
      <Loaded query={snapshots} what="snapshots" skeletonLines={3}>
        {(list) => (
          <div class="cards">
            {list.map(({ name, text }) => (
              <Snapshot key={name} name={name} text={text} at={snapshots.state.value.readAt} />
            ))}
          </div>
        )}
      </Loaded>
      <Loaded query={health} what="health" skeletonLines={1}>
        {(snapshot) => <Snapshot name="health" text={pretty(snapshot)} at={snapshot.ts} />}
      </Loaded>
    </Section>
  );
}

function Snapshot({ name, text, at }: { name: string; text: string; at: number | undefined }) {
  return (
    <details class="card">
      <summary>
        <code>{name}</code>{" "}
        {at !== undefined && (
          <span class="dim small">
            <Ago at={at} />
          </span>
        )}
      </summary>
      <pre class="output" tabIndex={0} aria-label={name}>
        {text}
      </pre>
    </details>
  );
}
