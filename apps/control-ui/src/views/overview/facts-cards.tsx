import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { now } from "../../app/clock.ts";
import { count, duration, plural } from "../../app/format.ts";
import { useQuery } from "../../gateway/index.ts";
import { sessionTitle } from "../../chat/session-title.ts";
import { Ago, Card, Facts, Link, Status } from "../../ui/index.ts";
import { UpdateAdvice } from "./update-advice.tsx";

type StatusSummary = MethodResult<"status">;

export function FactsCards({ status }: { status: StatusSummary }) {
  const { link, router, conversations } = useApp();
  const { model, sessions, runs, heartbeat } = status;
  const beats = heartbeat.agents.filter(({ enabled }) => enabled);
  return (
    <>
      <GatewayCard status={status} />
      <Card>
        <h2>Agents</h2>
        <Facts
          rows={[
            ["Model", model ? modelText(model) : (sessions.defaults.model ?? "unknown")],
            ["Key", model ? <Status tone={model.auth.startsWith("missing") ? "bad" : "ok"}>{model.auth}</Status> : "–"],
            ["Runs", runs ? `${runs.active} running, ${runs.waiting} waiting` : "–"],
            [
              "Heartbeat",
              beats.length === 0 ? "off" : beats.map(({ agentId, every }) => `${agentId} every ${every}`).join(", "),
            ],
            ...(link.offers("cron.add") ? [["Cron", <CronFact />] as const] : []),
            ["System notes", `${status.queuedSystemEvents.length} waiting for the next prompt`],
          ]}
        />
      </Card>
      <Card>
        <div class="card-head">
          <h2>Sessions</h2>
          <Link href={router.href("/sessions")}>All {sessions.count}</Link>
        </div>
        {sessions.recent.length === 0 && <p class="dim">Nobody has talked here yet.</p>}
        <ul class="recent">
          {sessions.recent.slice(0, 5).map((row) => (
            <li key={row.key}>
              <Link class="plain-link" href={router.href("/chat", row.key)}>
                {sessionTitle(conversations.row(row.key) ?? { key: row.key })}
              </Link>
              <span class="dim small number">
                {row.totalTokens === null ? "" : `${count(row.totalTokens)} tokens · `}
                {row.updatedAt === null ? "never used" : <Ago at={row.updatedAt} />}
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}

function CronFact() {
  const { link, router } = useApp();
  const cron = useQuery(link, "cron", { load: (gateway) => gateway.call("cron.status", {}), on: ["cron"] });
  const { data } = cron.state.value;
  if (data === undefined) return <>–</>;
  return (
    <>
      <Link href={router.href("/cron")}>{plural(data.jobs, "job")}</Link>
      {data.enabled ? (data.nextWakeAtMs === null ? "" : ", next ") : ", switched off"}
      {data.enabled && data.nextWakeAtMs !== null && <Ago at={data.nextWakeAtMs} />}
    </>
  );
}

function GatewayCard({ status }: { status: StatusSummary }) {
  const { link } = useApp();
  const hello = link.hello.value;
  const { store, connections } = status;
  return (
    <Card>
      <h2>Gateway</h2>
      <Facts
        rows={[
          ["Version", `${status.version ?? hello?.server.version ?? "unknown"}, protocol ${hello?.protocol ?? "?"}`],
          ["Up", status.uptimeMs === undefined ? "unknown" : <Uptime ms={status.uptimeMs} />],
          ["Connections", connections === undefined ? "unknown" : plural(connections, "connection")],
          ["Config", <code>{status.configPath ?? hello?.snapshot.configPath ?? "unknown"}</code>],
          ["Generation", status.config ? <Generation config={status.config} /> : "–"],
          ["Commits", store?.commit ? `${ms(store.commit.p50Ms)} typical, ${ms(store.commit.p99Ms)} slow` : "none yet"],
        ]}
      />
      <UpdateAdvice />
    </Card>
  );
}

const Generation = ({ config }: { config: NonNullable<StatusSummary["config"]> }) => (
  <>
    {config.generation}, applied <Ago at={config.appliedAt} />
  </>
);

/** Counts on between two readings, while there is a connection. */
function Uptime({ ms: reading }: { ms: number }) {
  const { link } = useApp();
  const seen = now().peek();
  return <Counting key={reading} from={reading} seen={seen} live={link.connected.value} />;
}

function Counting({ from, seen, live }: { from: number; seen: number; live: boolean }) {
  const passed = live ? Math.max(0, now().value - seen) : 0;
  return <span class="number">{duration(from + Math.min(passed, 15_000))}</span>;
}

const ms = (value: number): string => (value < 10 ? `${value.toFixed(1)} ms` : duration(value));

const modelText = (model: NonNullable<StatusSummary["model"]>): string =>
  model.configured ? model.ref : `${model.ref} (no model configured)`;
