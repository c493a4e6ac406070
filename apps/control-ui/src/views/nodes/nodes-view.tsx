/** Devices that may connect, those that ask to, and nodes that lend their abilities. */
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Loaded, Page, Section } from "../../ui/index.ts";
import "../../style/views.css";
import "./nodes.css";
import { ExecRulesPanel } from "./exec-rules-panel.tsx";
import { NodeList } from "./node-list.tsx";
import { PairedDevices } from "./paired-devices.tsx";
import { PendingDevices } from "./pending-devices.tsx";

export default function NodesView() {
  const { link } = useApp();
  const devices = useQuery(link, "devices", {
    load: (gateway) => gateway.call("device.pair.list", {}),
    on: ["device.pair.requested", "device.pair.resolved", "presence"],
    everyMs: 30_000,
  });
  const nodes = useQuery(link, "nodes", {
    load: (gateway) => gateway.call("node.list", {}),
    on: ["node.pair.requested", "node.pair.resolved", "presence"],
    everyMs: 5_000,
  });
  const refresh = () => void devices.refresh();
  return (
    <Page title="Nodes & devices" lead="Who may connect to this gateway, and what they lend it.">
      <Loaded query={devices} what="devices">
        {({ pending, paired }) => (
          <div class="device-sections">
            {pending.length > 0 && (
              <Section title="Waiting for your approval">
                <PendingDevices requests={pending} onChanged={refresh} />
              </Section>
            )}
            <Section title="Devices">
              <PairedDevices devices={paired} onChanged={refresh} />
            </Section>
          </div>
        )}
      </Loaded>
      {link.offers("node.list") && (
        <Section title="Nodes">
          <Loaded query={nodes} what="nodes" skeletonLines={2}>
            {(data) => <NodeList nodes={data.nodes} />}
          </Loaded>
        </Section>
      )}
      {link.offers("exec.approvals.get") && link.offers("exec.approvals.set") && link.may("operator.admin") && (
        <ExecRulesPanel nodes={nodes.state.value.data?.nodes ?? []} />
      )}
    </Page>
  );
}
