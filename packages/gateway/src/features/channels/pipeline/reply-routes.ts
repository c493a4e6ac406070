/** Where the reply of an `agent` call with `deliver: true` goes (agent.md §13.4): to whom the call names, else to where the session
 *  was last spoken to. */
import { GatewayError, type MethodParams } from "@openclaw/protocol";
import type { ReplyRoute, RoutePort } from "../../agents/index.ts";
import type { Sessions } from "../../sessions/index.ts";
import type { AccountSettings, Target } from "../channel.ts";

export interface ReplyRoutesOptions {
  sessions: Pick<Sessions, "get">;
  /** Finds account and target and refuses what cannot send; `Sends.resolve` is one. */
  resolve: (params: Pick<MethodParams<"send">, "channel" | "accountId" | "threadId"> & { to: string }) => {
    entry: { id: string };
    runner: { accountId: string };
    target: Target;
  };
  /** Settings of an account, or of a channel's usual one. */
  settings: (channel: string, accountId: string | undefined) => AccountSettings | undefined;
  /** Whether a person may still write to the account. */
  letsIn: (channel: string, accountId: string, chatId: string) => boolean;
}

export const replyRoutes =
  ({ sessions, resolve, settings, letsIn }: ReplyRoutesOptions): RoutePort =>
  (asked) => {
    const session = sessions.get(asked.sessionKey);
    const named = asked.channel && asked.channel !== "last" ? asked.channel : undefined;
    if (named === "webchat") return undefined;
    const channel = named ?? session?.lastChannel;
    if (!channel || channel === "webchat")
      throw new GatewayError(
        "invalid",
        "invalid agent params: this session was not spoken to from a chat yet; name where the reply goes (channel and replyTo)",
      );
    const isLast = session?.lastChannel === channel;
    const accountId = asked.accountId ?? (isLast ? session?.lastAccountId : undefined);
    const find = (to: string, threadId: string | undefined) =>
      resolve({ to, channel, ...(accountId ? { accountId } : {}), ...(threadId ? { threadId } : {}) });
    if (asked.to) {
      const sameChat = isLast && asked.to === session?.lastTo;
      return routeTo(find(asked.to, asked.threadId ?? (sameChat ? session.lastThreadId : undefined)));
    }
    if (isLast && session?.lastTo) {
      const last = find(session.lastTo, asked.threadId ?? session.lastThreadId);
      // Whom nobody names must still be let in (channels.md §4.2).
      if (last.target.kind !== "direct" || letsIn(last.entry.id, last.runner.accountId, last.target.chatId))
        return routeTo(last);
    }
    const first = firstListed(settings(channel, accountId));
    if (!first)
      throw new GatewayError(
        "invalid",
        `invalid agent params: name to whom the reply goes on ${channel.slice(0, 64)} (replyTo)${isLast && session?.lastTo ? "; who wrote last is not let in any more" : ""}`,
      );
    return routeTo(find(first, asked.threadId));
  };

const routeTo = ({ entry, runner, target }: ReturnType<ReplyRoutesOptions["resolve"]>): ReplyRoute => ({
  channel: entry.id,
  accountId: runner.accountId,
  chatId: target.chatId,
  kind: target.kind,
  ...(target.threadId === undefined ? {} : { threadId: target.threadId }),
});

/** Without a name the first person the account lets in is meant (channels.md §4.2). */
const firstListed = (account: AccountSettings | undefined): string | undefined =>
  account?.access.allowFrom.find((entry) => entry.trim() !== "" && entry.trim() !== "*");
