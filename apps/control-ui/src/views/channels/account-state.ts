/** What an account's facts mean to a person. Linked, connected and receiving are three facts, told apart. Pure. */
import type { MethodResult } from "@openclaw/protocol";
import type { Tone } from "../../ui/index.ts";

export type ChannelAccount = MethodResult<"channels.status">["channelAccounts"][string][number];

export interface Fact {
  name: "Linked" | "Connected" | "Receiving";
  tone: Tone;
  text: string;
  /** The moment behind it, when there is one, and what it was the moment of. */
  at?: number;
  verb: "since" | "lost" | "heard";
}

/** In one or two words, for lists. */
export function accountState(account: ChannelAccount): { tone: Tone; text: string } {
  if (account.enabled === false) return { tone: "idle", text: "switched off" };
  if (account.configured === false) return { tone: "idle", text: "not configured" };
  if (account.state === "terminal") return { tone: "bad", text: account.linked === false ? "not linked" : "needs you" };
  if (account.state === "held") return { tone: "warn", text: "held" };
  if (account.state === "linking") return { tone: "live", text: "linking" };
  if (account.connected === true)
    return account.receiving === false ? { tone: "warn", text: "silent" } : { tone: "ok", text: "connected" };
  if (account.state === "backoff") return { tone: "warn", text: "trying again" };
  if (account.running === true) return { tone: "live", text: "connecting" };
  return { tone: "idle", text: account.state ?? "not running" };
}

export function factsOf(account: ChannelAccount): Fact[] {
  const { linked, connected, receiving, authAgeMs, lastConnectedAt, lastEventAt, lastInboundAt } = account;
  const facts: Fact[] = [];
  if (linked !== undefined)
    facts.push({
      name: "Linked",
      tone: linked ? "ok" : "bad",
      verb: "since",
      text: linked ? "Yes" : "No, a person has to log in",
      ...(linked && typeof authAgeMs === "number" ? { at: Date.now() - authAgeMs } : {}),
    });
  facts.push(
    connected === true
      ? { name: "Connected", tone: "ok", text: "Yes", verb: "since", ...at(lastConnectedAt) }
      : {
          name: "Connected",
          tone: account.state === "terminal" ? "bad" : "warn",
          text: notConnected(account),
          verb: "lost",
          ...at(account.lastDisconnect?.at),
        },
  );
  const heard = { verb: "heard", ...at(lastEventAt ?? lastInboundAt) } as const;
  if (receiving === true) facts.push({ name: "Receiving", tone: "ok", text: "Yes", ...heard });
  else if (connected === true)
    facts.push({ name: "Receiving", tone: "warn", text: "No sign of life from the platform", ...heard });
  else facts.push({ name: "Receiving", tone: "idle", text: "No", ...heard });
  return facts;
}

const at = (moment: number | null | undefined): { at?: number } => (typeof moment === "number" ? { at: moment } : {});

function notConnected({ state, enabled, reconnectAttempts = 0 }: ChannelAccount): string {
  if (enabled === false) return "No, switched off";
  if (state === "backoff") return `No, attempt ${reconnectAttempts + 1} follows`;
  if (state === "connecting" || state === "starting") return "Connecting";
  if (state === "linking") return "No, a login is under way";
  if (state === "held") return "No, held in safe mode";
  return "No";
}

/** Of the messages an account received, those that were left out, by reason. */
export function skippedOf(account: ChannelAccount): { reason: string; count: number }[] {
  return Object.entries(account.inbound ?? {})
    .filter(([name, count]) => name.startsWith("skipped.") && count > 0)
    .map(([name, count]) => ({ reason: name.slice("skipped.".length).replaceAll("-", " "), count }));
}

/** Channels with an account that is switched on stand first; else the gateway's order stays. */
export function enabledFirst(
  order: readonly string[],
  accounts: Readonly<Record<string, readonly ChannelAccount[]>>,
): string[] {
  const off = (channel: string) => (accounts[channel] ?? []).every(({ enabled }) => enabled === false);
  return [...order].sort((a, b) => Number(off(a)) - Number(off(b)));
}
