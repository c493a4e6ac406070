import { useApp } from "../../app/app.ts";
import type { Query } from "../../gateway/index.ts";
import { Card, Link, Loaded, Status } from "../../ui/index.ts";
import { accountState } from "../channels/account-state.ts";
import type { ChannelsStatus } from "./attention.ts";

export function ChannelsCard({ query }: { query: Query<ChannelsStatus> }) {
  const { router } = useApp();
  return (
    <Card>
      <div class="card-head">
        <h2>Channels</h2>
        <Link href={router.href("/channels")}>All</Link>
      </div>
      <Loaded query={query} what="channels" skeletonLines={2}>
        {({ channelOrder, channelLabels, channelAccounts }) =>
          channelOrder.length === 0 ? (
            <p class="dim">No channel yet. Chat works without one; a channel lets you write from your phone.</p>
          ) : (
            <ul class="recent">
              {channelOrder.flatMap((channel) =>
                (channelAccounts[channel] ?? []).map((account, _index, all) => {
                  const { tone, text } = accountState(account);
                  const name = channelLabels[channel] ?? channel;
                  return (
                    <li key={`${channel}:${account.accountId}`}>
                      <span>{all.length > 1 ? `${name}, ${account.accountId}` : name}</span>
                      <Status tone={tone}>{text}</Status>
                    </li>
                  );
                }),
              )}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
