/** Everyone who is connected to the gateway or was a moment ago, live. */
import { MonitorSmartphone } from "lucide-preact";
import type { MethodResult } from "@openclaw/protocol";
import { useApp } from "../app/app.ts";
import { duration, plural } from "../app/format.ts";
import { readText, useQuery } from "../gateway/index.ts";
import { Ago, Chip, Empty, Loaded, Page } from "../ui/index.ts";
import "../style/views.css";

type Entry = MethodResult<"system-presence">[number];

export default function InstancesView() {
  const { link } = useApp();
  const presence = useQuery(link, "presence", {
    load: (gateway) => gateway.call("system-presence", {}),
    on: ["presence"],
    everyMs: 30_000,
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
        {gone ? "Left" : "Seen"} <Ago at={entry.ts} />
        {ip !== undefined && `, from ${ip}`}
        {entry.lastInputSeconds !== undefined && `, idle for ${duration(entry.lastInputSeconds * 1_000)}`}
        {entry.reason !== undefined && !gone && `, by ${entry.reason}`}
      </p>
      {entry.scopes !== undefined && entry.scopes.length > 0 && <p class="dim small">{entry.scopes.join(", ")}</p>}
    </li>
  );
}
