/** Everyone who is connected to the gateway or was a moment ago, live. */
import { MonitorSmartphone } from "lucide-preact";
import type { EventPayload } from "@openclaw/protocol";
import { useApp } from "../../app/app.ts";
import { duration, plural } from "../../app/format.ts";
import { readText, useQuery } from "../../gateway/index.ts";
import { Ago, Chip, Empty, Loaded, Page } from "../../ui/index.ts";
import "../../style/views.css";
import { afterPresence, type Entry } from "./presence-list.ts";

export default function InstancesView() {
  const { link } = useApp();
  const presence = useQuery(link, "presence", {
    load: (gateway) => gateway.call("system-presence", {}),
    apply: { presence: (list, { payload }) => afterPresence(list, payload as EventPayload<"presence">) },
    stateVersion: "presence",
    // Entries pass away without an event, five minutes after they were last heard of.
    everyMs: 60_000,
  });
  const { data } = presence.state.value;
  const lead = data === undefined ? "Who is here." : `${plural(data.length, "instance")} here or seen lately.`;
  return (
    <Page title="Instances" lead={lead}>
      <Loaded query={presence} what="instances">
        {(entries) =>
          entries.length === 0 ? (
            <Empty icon={MonitorSmartphone} title="Nobody is here">
              <p>Apps, browsers and devices appear when they connect.</p>
            </Empty>
          ) : (
            <ul class="grid">
              {entries.map((entry, index) => (
                <Instance key={keyOf(entry, index)} entry={entry} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  );
}

/** What the reasons the gateway itself gives mean for a reader. */
const seenWords: Record<string, string> = {
  self: "The gateway itself, as of",
  connect: "Connected",
  disconnect: "Left",
};

const keyOf = (entry: Entry, index: number): string =>
  [entry.instanceId, entry.deviceId, entry.host].filter(Boolean).join("|") || `row-${index}`;

function Instance({ entry }: { entry: Entry }) {
  const { host, ip, mode, version, platform, deviceFamily, modelIdentifier, roles = [], tags = [] } = entry;
  const own = entry.instanceId !== undefined && entry.instanceId === readText("session", "openclaw.tab");
  const gone = entry.reason === "disconnect";
  const chips = [
    mode,
    ...roles.filter((role) => role !== mode),
    platform,
    deviceFamily !== platform ? deviceFamily : undefined,
    modelIdentifier,
    ...tags,
  ];
  return (
    <li class="card">
      <div class="card-head">
        <div class="card-title">
          <h2 class="instance-name">{host ?? entry.deviceId ?? "unnamed"}</h2>
          {own && <Chip tone="live">this tab</Chip>}
          {gone && <Chip>left</Chip>}
        </div>
      </div>
      <div class="chips">
        {[...new Set(chips.filter((chip): chip is string => chip !== undefined && chip !== ""))].map((chip) => (
          <Chip key={chip}>{chip}</Chip>
        ))}
        {version !== undefined && <Chip>version {version}</Chip>}
      </div>
      <p class="dim small instance-foot">
        {seenWords[entry.reason ?? ""] ?? "Seen"} <Ago at={entry.ts} />
        {ip !== undefined && `, from ${ip}`}
        {entry.lastInputSeconds !== undefined && `, idle for ${duration(entry.lastInputSeconds * 1_000)}`}
        {entry.reason !== undefined && seenWords[entry.reason] === undefined && `, by ${entry.reason}`}
      </p>
      {entry.scopes !== undefined && entry.scopes.length > 0 && <p class="dim small">May {entry.scopes.join(", ")}</p>}
    </li>
  );
}
