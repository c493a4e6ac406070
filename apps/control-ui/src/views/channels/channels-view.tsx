/** Every account of every channel, with the facts that matter apart, and what a person can do about each. */
import { useState } from "preact/hooks";
import { Link2, MessagesSquare, Stethoscope } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { useQuery } from "../../gateway/index.ts";
import { Ago, Button, Command, Empty, ErrorNotice, Loaded, Page, Section, useAction } from "../../ui/index.ts";
import "../../style/views.css";
import "./channels.css";
import { AccountCard } from "./account-card.tsx";
import { enabledFirst } from "./account-state.ts";
import { LoginDialog } from "./login-dialog.tsx";
import { Senders } from "./senders.tsx";

export default function ChannelsView() {
  const { link } = useApp();
  const status = useQuery(link, "channels", {
    load: (gateway) => gateway.call("channels.status", {}),
    on: ["health"],
    everyMs: 5_000,
  });
  const pairing = useQuery(link, "pairing", {
    load: async (gateway) =>
      gateway.offers("pairing.list") && gateway.may("operator.pairing")
        ? gateway.call("pairing.list", {})
        : { requests: [] },
    on: ["health"],
    everyMs: 5_000,
  });
  const probe = useAction();
  const [probedAt, setProbedAt] = useState<number>();
  const [adding, setAdding] = useState(false);
  const refresh = () => {
    void status.refresh();
    void pairing.refresh();
  };
  const ask = () =>
    probe.run("probe", async () => {
      await link.call("channels.status", { probe: true, timeoutMs: 8_000 }, { timeoutMs: 20_000 });
      setProbedAt(Date.now());
      await status.refresh();
    });
  const { data } = status.state.value;
  return (
    <Page
      title="Channels"
      lead="Where people reach your agents from."
      actions={
        <>
          {probedAt !== undefined && (
            <span class="dim small probed">
              Asked <Ago at={probedAt} />
            </span>
          )}
          <Button
            icon={Stethoscope}
            disabled={!link.connected.value || probe.busy !== undefined}
            onClick={() => void ask()}
          >
            {probe.busy === undefined ? "Ask the platforms" : "Asking…"}
          </Button>
        </>
      }
    >
      {probe.error !== undefined && <ErrorNotice text={probe.error} retry={() => void ask()} />}
      <Senders query={pairing} labels={data?.channelLabels ?? {}} />
      <Loaded query={status} what="channels">
        {({ channelOrder, channelLabels, channelAccounts }) => {
          const order = enabledFirst(channelOrder, channelAccounts);
          if (order.length === 0) return <NoChannels onLink={() => setAdding(true)} />;
          return (
            <div class="channel-list">
              {order.map((channel) => {
                const label = channelLabels[channel] ?? channel;
                const accounts = channelAccounts[channel] ?? [];
                const cards = accounts.map((account) => (
                  <AccountCard
                    key={account.accountId}
                    channel={channel}
                    label={label}
                    account={account}
                    named={accounts.length > 1}
                    onChanged={refresh}
                  />
                ));
                return (
                  <Section key={channel} title={label}>
                    {cards.length === 0 ? (
                      <p class="dim">No account is configured.</p>
                    ) : (
                      <div class="cards">{cards}</div>
                    )}
                  </Section>
                );
              })}
              {!order.includes("whatsapp") && link.offers("web.login.start") && (
                <div>
                  <Button icon={Link2} onClick={() => setAdding(true)} disabled={!link.connected.value}>
                    Link WhatsApp
                  </Button>
                </div>
              )}
            </div>
          );
        }}
      </Loaded>
      {adding && (
        <LoginDialog
          channel="whatsapp"
          label="WhatsApp"
          accountId={undefined}
          linked={false}
          onClose={() => {
            setAdding(false);
            refresh();
          }}
        />
      )}
    </Page>
  );
}

function NoChannels({ onLink }: { onLink: () => void }) {
  const { link } = useApp();
  return (
    <Empty icon={MessagesSquare} title="No channel yet">
      <p>With a channel you can write to your agents from your phone.</p>
      {link.offers("web.login.start") && (
        <Button kind="primary" icon={Link2} onClick={onLink} disabled={!link.connected.value}>
          Link WhatsApp
        </Button>
      )}
      <p>Telegram takes the token of a bot of yours:</p>
      <Command text="openclaw channels add --channel telegram --token-file ~/telegram-token" />
    </Empty>
  );
}
