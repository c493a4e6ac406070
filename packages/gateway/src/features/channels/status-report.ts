/** What `channels.status`, `health` and `status` say about channels (channels.md §1.3, protocol.md §13.8). Three facts stand
 *  apart: `linked` (could connect without a person), `connected`, and `receiving` (the transport shows life). */
import type { MethodResult } from "@openclaw/protocol";
import type { AccountRunner } from "./accounts/runner.ts";
import type { ChannelService } from "./channel-service.ts";
import { issuesOf } from "./issues.ts";

type Account = MethodResult<"channels.status">["channelAccounts"][string][number];

/** Silence of the transport after which an open connection does not count as receiving. */
const aliveMs = 150_000;

export interface Counts {
  counts(channel: string, accountId: string): Record<string, number>;
  sends(channel: string, accountId: string): { queued: number; unknown: number };
}

export function accountReport(service: ChannelService, runner: AccountRunner, now: number, counts: Counts): Account {
  const { facts, accountId, account } = runner;
  const settings = service.settings(accountId);
  const { noted, state, self, ...known } = facts;
  const linked = account?.linked();
  const connected = state === "open";
  const sends = counts.sends(service.row.id, accountId);
  const { authSavedAt: savedAt, jid } = noted;
  /** Beside the declared fields; the shape is open. */
  const own = {
    ...(facts.lastInboundAt === undefined ? {} : { lastMessageAt: facts.lastInboundAt }),
    issues: issuesOf(facts, settings),
  };
  return {
    ...noted,
    accountId,
    ...(settings?.name ? { name: settings.name } : {}),
    enabled: settings?.enabled ?? false,
    configured: settings !== undefined && settings.missing === undefined,
    ...(linked === undefined ? {} : { linked }),
    running: ["starting", "linking", "connecting", "open", "backoff"].includes(state),
    connected,
    receiving: connected && now - (facts.lastEventAt ?? facts.lastConnectedAt ?? 0) < aliveMs,
    state,
    ...known,
    lastError: facts.lastError ?? null,
    ...(self ? { self: { ...self, ...(typeof jid === "string" ? { jid } : {}) } } : {}),
    ...(linked && typeof savedAt === "number" ? { authAgeMs: Math.max(0, now - savedAt) } : {}),
    ...(settings
      ? {
          dmPolicy: settings.access.dmPolicy,
          allowFrom: [...settings.access.allowFrom],
          tokenSource: settings.tokenSource ?? "none",
        }
      : {}),
    ...own,
    inbound: counts.counts(service.row.id, accountId),
    outbox: { queued: sends.queued, unknown: sends.unknown },
  };
}

/** One line of facts per channel, for `health` and lists. */
export function channelSummary(service: ChannelService, now: number, counts: Counts): Record<string, unknown> {
  const accounts = service.runners().map((runner) => accountReport(service, runner, now, counts));
  const main = accounts.find(({ accountId }) => accountId === service.defaultAccountId()) ?? accounts[0];
  if (!main) return { configured: service.configured };
  const { name: _name, ...facts } = main;
  return { ...facts, accounts: Object.fromEntries(accounts.map((account) => [account.accountId, account])) };
}

/** The channel whose link decides NOT_LINKED: the first configured one that logs in by a code. */
export function linkChannel(
  services: readonly ChannelService[],
  now: number,
  counts: Counts,
): { id: string; label: string; linked: boolean; authAgeMs: number | null } | undefined {
  const service = services.find(({ entry, configured }) => configured && entry?.capabilities.login === true);
  if (!service) return undefined;
  const summary = channelSummary(service, now, counts);
  const age = summary["authAgeMs"];
  return {
    id: service.row.id,
    label: service.row.label,
    linked: summary["linked"] === true,
    authAgeMs: typeof age === "number" ? age : null,
  };
}

/** For people: `WhatsApp: linked (auth age 12m)`. */
export function summaryLine(service: ChannelService, now: number, counts: Counts): string {
  const summary = channelSummary(service, now, counts);
  const error = typeof summary["lastError"] === "string" ? summary["lastError"] : undefined;
  const age = summary["authAgeMs"];
  const username = (summary["self"] as { username?: string } | undefined)?.username;
  const say = (text: string) => `${service.row.label}: ${text}`;
  if (summary["configured"] !== true) return say("not configured");
  if (summary["state"] === "disabled") return say("disabled");
  if (service.entry?.capabilities.login) {
    if (summary["linked"] !== true) return say("not linked");
    const linked = `linked${typeof age === "number" ? ` (auth age ${Math.round(age / 60_000)}m)` : ""}`;
    return say(summary["connected"] === true ? linked : `${linked}, not connected${error ? ` - ${error}` : ""}`);
  }
  if (summary["connected"] === true) return say(`ok${username ? ` (@${username})` : ""}`);
  return say(error ? `failed - ${error}` : "connecting");
}
