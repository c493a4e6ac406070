/** A message on its way from the ledger to a run. */
import type { Parsed } from "../../agents/index.ts";
import type { AccountSettings, ChannelEntry, GroupSettings } from "../channel.ts";
import type { InboundMessage, InboundRow } from "../inbound.ts";

export interface Arrival {
  /** The rows it stands for, in order; more than one when parts were joined. */
  rows: readonly InboundRow[];
  message: InboundMessage;
  channel: string;
  accountId: string;
  entry: ChannelEntry;
  settings: AccountSettings;
  /** Names the chat; see `chatKeyOf`. */
  chat: string;
  agentId: string;
  sessionKey: string;
  /** Settings of the group, where it has any. */
  group: GroupSettings | undefined;
  owner: boolean;
  mayCommand: boolean;
  /** The text as commands and directives are read from it. */
  parsed: Parsed;
}
