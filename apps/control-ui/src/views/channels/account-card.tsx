import { useState } from "preact/hooks";
import { Link2, LogOut, Settings } from "lucide-preact";
import { useApp } from "../../app/app.ts";
import { Ago, Button, Chip, Clock, Command, Confirm, Countdown, Facts, Link, Status, spoken } from "../../ui/index.ts";
import { accountState, factsOf, skippedOf, type ChannelAccount } from "./account-state.ts";
import { LoginDialog } from "./login-dialog.tsx";

/** Channels that are linked by a code rather than by a token in the config. */
export const linkedByCode: ReadonlySet<string> = new Set(["whatsapp"]);

interface AccountCardProps {
  channel: string;
  label: string;
  account: ChannelAccount;
  /** More than one account: then its name matters. */
  named: boolean;
  onChanged: () => void;
}

export function AccountCard({ channel, label, account, named, onChanged }: AccountCardProps) {
  const { link, router, toasts } = useApp();
  const [dialog, setDialog] = useState<"login" | "logout">();
  const state = accountState(account);
  const byCode = linkedByCode.has(channel);
  const title = named ? (account.name ?? account.accountId) : label;
  const live = link.connected.value;
  const admin = link.may("operator.admin");
  const needs = admin ? undefined : "Needs the scope operator.admin";
  const path = named ? `channels.${channel}.accounts.${account.accountId}` : `channels.${channel}`;
  const logout = async () => {
    const answer = await link.call("channels.logout", { channel, accountId: account.accountId });
    const told = answer.loggedOut === true ? "" : " The phone could not be told: remove the device there too.";
    toasts.show(answer.cleared ? `Logged out of ${label}.${told}` : `${label} was not linked.`, { tone: "ok" });
    onChanged();
  };
  return (
    <article class="card account" aria-label={named ? `${label}, ${title}` : label}>
      <div class="card-head">
        <div class="card-title">
          <h3 class={named ? "" : "sr-only"}>{title}</h3>
          <b>
            <Status tone={state.tone}>{state.text}</Status>
          </b>
          <SelfName account={account} />
          {account.enabled === false && <Chip>switched off</Chip>}
          {account.mode !== undefined && <Chip>{account.mode}</Chip>}
        </div>
        <div class="actions">
          {byCode && link.offers("web.login.start") && account.enabled !== false && (
            <Button
              icon={Link2}
              kind={account.linked === false ? "primary" : "default"}
              disabled={!live || !admin}
              title={needs}
              onClick={() => setDialog("login")}
            >
              {account.linked === true ? "Link anew" : "Link"}
            </Button>
          )}
          {byCode && link.offers("channels.logout") && account.linked === true && (
            <Button icon={LogOut} disabled={!live || !admin} title={needs} onClick={() => setDialog("logout")}>
              Log out
            </Button>
          )}
          <Link class="button" href={router.href("/config", "", { path })}>
            <Settings size={16} aria-hidden="true" />
            Settings
          </Link>
        </div>
      </div>
      <dl class="three-facts">
        {factsOf(account).map((fact) => (
          <div key={fact.name}>
            <dt>{fact.name}</dt>
            <dd>
              <Status tone={fact.tone}>{fact.text}</Status>
              {fact.at !== undefined && (
                <span class="dim small">
                  {fact.verb} {fact.verb === "since" ? <Clock at={fact.at} /> : <Ago at={fact.at} />}
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <Trouble account={account} />
      <Figures account={account} />
      {dialog === "login" && (
        <LoginDialog
          channel={channel}
          label={label}
          accountId={account.accountId}
          linked={account.linked === true}
          onClose={() => {
            setDialog(undefined);
            onChanged();
          }}
        />
      )}
      {dialog === "logout" && (
        <Confirm
          title={`Log out of ${label}?`}
          action="Log out"
          onConfirm={spoken(logout)}
          onClose={() => setDialog(undefined)}
        >
          <p>
            The gateway forgets its link{named ? ` of account ${account.accountId}` : ""}. Nothing is sent or received
            until a phone scans a new code. Conversations stay.
          </p>
        </Confirm>
      )}
    </article>
  );
}

function SelfName({ account: { self } }: { account: ChannelAccount }) {
  if (!self) return null;
  const name = self.username === undefined ? (self.e164 ?? self.name ?? self.id) : `@${self.username}`;
  return <span class="dim">{name}</span>;
}

/** Why it does not work and what to do: the reason first, then the step. */
function Trouble({ account }: { account: ChannelAccount }) {
  const { lastError, fix, connected, nextAttemptAt } = account;
  if (connected === true || (!lastError && !fix)) return null;
  const isCommand = fix?.startsWith("openclaw ") === true;
  return (
    <div class={`trouble ${account.state === "terminal" ? "bad" : ""}`.trimEnd()}>
      {lastError && <p>{lastError}</p>}
      {nextAttemptAt !== undefined && (
        <p class="dim">
          Tries again <Countdown until={nextAttemptAt} />.
        </p>
      )}
      {fix !== undefined && !isCommand && <p>{fix}</p>}
      {isCommand && fix !== undefined && <Command text={fix} />}
    </div>
  );
}

function Figures({ account }: { account: ChannelAccount }) {
  const { inbound = {}, outbox, lastInboundAt, lastOutboundAt, dmPolicy, allowFrom = [], tokenSource } = account;
  const { received = 0, handled = 0, pending = 0 } = inbound;
  const skipped = skippedOf(account);
  return (
    <details>
      <summary class="dim">
        {received} received, {handled} handled
        {pending > 0 ? `, ${pending} under way` : ""}
        {outbox && outbox.queued > 0 ? `, ${outbox.queued} to send` : ""}
      </summary>
      <div class="figures">
        <Facts
          rows={[
            ["Last message in", typeof lastInboundAt === "number" ? <Ago at={lastInboundAt} /> : "none yet"],
            ["Last message out", typeof lastOutboundAt === "number" ? <Ago at={lastOutboundAt} /> : "none yet"],
            [
              "Left out",
              skipped.length === 0 ? "none" : skipped.map(({ reason, count }) => `${count} ${reason}`).join(", "),
            ],
            ["To send", outbox ? `${outbox.queued} queued, ${outbox.unknown} of unknown fate` : "none"],
            ["Direct messages", dmPolicy ?? "default"],
            ["Allowed senders", allowFrom.length === 0 ? "those who were paired" : allowFrom.join(", ")],
            ["Token from", tokenSource ?? "none"],
          ]}
        />
      </div>
    </details>
  );
}
