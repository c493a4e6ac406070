import type { MethodResult } from "@openclaw/protocol";
import { Ago, Chip, Status } from "../../ui/index.ts";

type NodeRow = MethodResult<"node.list">["nodes"][number];

const shownCommands = 12;

export function NodeList({ nodes }: { nodes: readonly NodeRow[] }) {
  if (nodes.length === 0)
    return (
      <p class="dim">No node is paired. A phone or another computer becomes one when its app connects as a node.</p>
    );
  return (
    <ul class="grid">
      {nodes.map((node) => (
        <li key={node.nodeId} class="card device">
          <div class="card-head">
            <div class="card-title">
              <h3>{node.displayName ?? node.nodeId.slice(0, 12)}</h3>
            </div>
            <Status tone={node.connected ? "ok" : "idle"}>{node.connected ? "connected" : "away"}</Status>
          </div>
          <div class="chips">
            <Chip {...(node.paired ? {} : { tone: "warn" as const })}>{node.paired ? "paired" : "not paired"}</Chip>
            {node.platform !== undefined && <Chip>{node.platform}</Chip>}
            {node.version !== undefined && <Chip>version {node.version}</Chip>}
            {node.caps.map((cap) => (
              <Chip key={cap}>{cap}</Chip>
            ))}
          </div>
          {node.commands.length > 0 && (
            <details>
              <summary class="dim small">{node.commands.length} commands</summary>
              <p class="id">
                {node.commands.slice(0, shownCommands).join(", ")}
                {node.commands.length > shownCommands && `, and ${node.commands.length - shownCommands} more`}
              </p>
            </details>
          )}
          <p class="id">{node.nodeId}</p>
          {node.connectedAtMs !== undefined && (
            <p class="dim small">
              Here since <Ago at={node.connectedAtMs} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
