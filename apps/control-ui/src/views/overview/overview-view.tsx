/** Is everything well, and if not, what to do: attention first, then the figures behind it. */
import { useEffect, useState } from "preact/hooks";
import { RotateCw } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Button, Loaded, Page } from "../../ui/index.ts";
import "../../style/views.css";
import "./overview.css";
import { AttentionList } from "./attention-list.tsx";
import { attentionOf } from "./attention.ts";
import { ChannelsCard } from "./channels-card.tsx";
import { ConnectionCard } from "./connection-card.tsx";
import { FactsCards } from "./facts-cards.tsx";
import { answerEveryMs, vitalsOf } from "./vitals.ts";
import { VitalsCards } from "./vitals-cards.tsx";

export default function OverviewView() {
  const { link } = useApp();
  const vitals = vitalsOf(link);
  useEffect(() => {
    void vitals.ask();
    return link.onRefresh(() => void vitals.ask());
  }, [vitals]);
  const status = useQuery(link, "status", {
    load: (gateway) => vitals.timed(() => gateway.call("status", {})),
    everyMs: answerEveryMs,
  });
  const channels = useQuery(link, "channels", {
    load: (gateway) => gateway.call("channels.status", {}),
    everyMs: 10_000,
  });
  const waiting = useQuery(link, "waiting", {
    load: async (gateway) => {
      const may = gateway.may("operator.pairing");
      const [senders, devices] = await Promise.all([
        may && gateway.offers("pairing.list") ? gateway.call("pairing.list", {}) : { requests: [] },
        may && gateway.offers("device.pair.list") ? gateway.call("device.pair.list", {}) : { pending: [] },
      ]);
      return { senders: senders.requests.length, devices: devices.pending.length };
    },
    on: ["device.pair.requested", "device.pair.resolved"],
    everyMs: 10_000,
  });
  const refresh = () => {
    for (const query of [status, channels, waiting]) void query.refresh();
  };
  // Opened without a connection it begins with nothing: what was heard on an earlier visit is not of now.
  const [since] = useState(() => (link.connected.peek() ? 0 : Date.now()));
  const heard = vitals.health.value;
  const health = heard !== undefined && heard.at >= since ? heard : undefined;
  const { data: people } = waiting.state.value;
  const { data: known } = status.state.value;
  const items = attentionOf({
    health: health?.value,
    channels: channels.state.value.data,
    senders: people?.senders ?? 0,
    devices: people?.devices ?? 0,
    localModels: known?.localModels ?? [],
  });
  const queries = [status, channels, waiting].map(({ state }) => state.value);
  // Silence counts as good news only once everything was asked and the answers are of now.
  const live = link.connected.value;
  const knowledge = !live
    ? "away"
    : queries.some(({ error }) => error !== undefined)
      ? "partly"
      : health !== undefined && queries.every(({ data }) => data !== undefined)
        ? "all"
        : "asking";
  return (
    <Page
      title="Overview"
      lead="How the gateway is doing, and what needs you."
      actions={
        <Button icon={RotateCw} onClick={refresh} disabled={!live}>
          Refresh
        </Button>
      }
    >
      <AttentionList items={items} knowledge={knowledge} at={health?.at} />
      <VitalsCards vitals={vitals} />
      <Loaded query={status} what="the state of the gateway">
        {(data) => (
          <div class="overview-grid">
            <FactsCards status={data} />
            <ChannelsCard query={channels} />
          </div>
        )}
      </Loaded>
      <ConnectionCard />
    </Page>
  );
}
