/** What the pipeline needs from its neighbours, as narrow as it is used. */
import type { ConfigSource, SectionValue } from "../../../config/section.ts";
import type { Bus } from "../../../kernel/bus.ts";
import type { Logger } from "../../../kernel/log.ts";
import type { World } from "../../../kernel/world.ts";
import type { Reader, Store, Tx } from "../../../store/store.ts";
import type { Agents, AgentsRoomConfig } from "../../agents/index.ts";
import type { SessionConfig, Sessions } from "../../sessions/index.ts";
import type { AccountState } from "../accounts/transitions.ts";
import type { AccountSettings, ChannelAccount, ChannelEntry } from "../channel.ts";
import type { InboundRow, InboundState } from "../inbound.ts";
import type { OutboundPart, OutboxKind, OutboxRow } from "../outbound.ts";
import type { bindingsSection } from "../routing.config.ts";

export interface InboxPort {
  open(afterId: number, limit?: number): InboundRow[];
  get(id: number): InboundRow | undefined;
  byRun(runRowId: number, reader?: Reader): InboundRow[];
  move(
    tx: Tx,
    id: number,
    to: InboundState,
    fields?: { sessionKey?: string; runRowId?: number; reason?: string; attempts?: number },
  ): boolean;
  endRun(
    tx: Tx,
    runRowId: number,
    to: "answered" | "silent" | "noticed" | "dropped" | "quarantined",
    reason?: string,
  ): void;
}

export interface OutboxPort {
  insert(
    tx: Tx,
    request: {
      key: string;
      family: string;
      principal: string;
      channel: string;
      accountId: string;
      kind: OutboxKind;
      parts: OutboundPart[];
      runRowId?: number;
      sessionKey?: string;
      lifetimeMs?: number;
    },
  ): OutboxRow[];
}

/** One platform; `ChannelService` is one. */
export interface ChannelPort {
  readonly entry: ChannelEntry | undefined;
  accounts(): readonly AccountSettings[];
  settings(accountId: string): AccountSettings | undefined;
  runner(accountId: string): RunnerPort | undefined;
}

export interface RunnerPort {
  readonly account: ChannelAccount | undefined;
  readonly state: AccountState;
  readonly facts: {
    readonly self?: { id: string; name?: string; username?: string; e164?: string };
    readonly lastConnectedAt?: number;
  };
}

export interface PipelineConfig extends Omit<AgentsRoomConfig, "session"> {
  session: SessionConfig;
  bindings: SectionValue<typeof bindingsSection>;
}

/** A group that has another id now. */
export interface GroupMove {
  channel: string;
  accountId: string;
  from: string;
  to: string;
}

export interface PipelineOptions {
  store: Store;
  world: World;
  log: Logger;
  bus: Bus;
  config: ConfigSource<PipelineConfig>;
  inbox: InboxPort;
  outbox: OutboxPort;
  agents: Agents;
  sessions: Sessions;
  channel: (id: string) => ChannelPort | undefined;
  /** A line for the next prompt of a session. */
  systemEvent: (sessionKey: string, text: string) => void;
  /** Names the group by its new id in the config. Rejects with a text for people. */
  groupMoved?: (move: GroupMove) => Promise<void>;
  /** Why nothing may be answered now (safe mode); then messages are only queued. */
  held?: () => string | undefined;
}
