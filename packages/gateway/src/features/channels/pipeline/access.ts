/** Who may write where, and who may command (channels.md §2, agent.md §9.3). Pure: the lists come in, a verdict goes out. */
import type { AccessSettings, ChannelEntry, GroupSettings } from "../channel.ts";
import type { InboundMessage, InboundSender } from "../inbound.ts";

export interface AccessInput {
  message: InboundMessage;
  access: AccessSettings;
  entry: Pick<ChannelEntry, "id" | "normalizeSender">;
  /** Whether pairing let this sender write direct messages. */
  isPaired: (senderId: string) => boolean;
  commands: { useAccessGroups: boolean; ownerAllowFrom?: readonly (string | number)[] | undefined };
}

export type Verdict =
  | { kind: "drop"; reason: string }
  /** A stranger who may ask to be let in. */
  | { kind: "pair" }
  | { kind: "accept"; mayCommand: boolean; owner: boolean; group: GroupSettings | undefined };

const drop = (reason: string): Verdict => ({ kind: "drop", reason });

export function judge(input: AccessInput): Verdict {
  return input.message.chat.kind === "direct" ? judgeDirect(input) : judgeGroup(input);
}

function judgeDirect(input: AccessInput): Verdict {
  const { message, access, isPaired } = input;
  if (access.dmPolicy === "disabled") return drop("dm-disabled");
  const { sender } = message;
  const listed = sender.isSelf === true || isListed(sender, access.allowFrom, input);
  // `open` without "*" lets in only who is listed; validation asks for it anyway.
  const allowed = listed || isPaired(sender.id);
  if (!allowed) return access.dmPolicy === "pairing" ? { kind: "pair" } : drop("dm-not-allowed");
  return accept(input, undefined, true);
}

/** Whether a direct message of this person would be let in now: what is sent to somebody nobody named goes only there
 *  (channels.md §4.2). */
export function letsIn(
  senderId: string,
  { access, entry, isPaired, self }: Pick<AccessInput, "access" | "entry" | "isPaired"> & { self?: string | undefined },
): boolean {
  if (access.dmPolicy === "disabled") return false;
  // A local id of WhatsApp hides the number that lists name; it was judged by that when it wrote.
  if (/@lid$/iu.test(senderId)) return true;
  const id = entry.normalizeSender(senderId);
  // The chat of the account with itself is let in without a list.
  if (self !== undefined && id === entry.normalizeSender(self)) return true;
  if (isListed({ id }, access.allowFrom, { entry }) || isPaired(id)) return true;
  // Nor does an id tell which of the listed user names is its own.
  return access.allowFrom.some((given) => entry.normalizeSender(given).startsWith("@"));
}

function judgeGroup(input: AccessInput): Verdict {
  const { message, access } = input;
  const { chat, sender } = message;
  const group = groupSettings(access.groups, chat.id, chat.threadId);
  const policy = group?.groupPolicy ?? access.groupPolicy;
  if (access.groupPolicy === "disabled" || policy === "disabled") return drop("group-disabled");
  if (access.groups && Object.keys(access.groups).length > 0 && !group) return drop("group-not-listed");
  if (group?.enabled === false) return drop("group-off");
  const senders = group?.allowFrom ?? access.groupAllowFrom ?? access.allowFrom;
  const listed = sender.isSelf === true || isListed(sender, senders, input);
  const restricted = policy === "allowlist" || group?.allowFrom !== undefined;
  if (restricted && !listed) return drop("group-sender-not-allowed");
  return accept(input, group, listed);
}

function accept(input: AccessInput, group: GroupSettings | undefined, listed: boolean): Verdict {
  const owner = isOwner(input);
  const mayTalk = !input.commands.useAccessGroups || listed || owner;
  return { kind: "accept", group, owner, mayCommand: input.access.commandsNeedOwner ? owner : mayTalk };
}

/** Owners are named by `commands.ownerAllowFrom`, else by the channel's own list; pairing makes nobody an owner, and `*` names
 *  nobody. */
function isOwner(input: AccessInput): boolean {
  const { message, access, commands } = input;
  if (message.sender.isSelf) return true;
  const named = commands.ownerAllowFrom?.length ? commands.ownerAllowFrom : access.allowFrom;
  return isListed(
    message.sender,
    named.filter((entry) => String(entry).trim() !== "*"),
    input,
  );
}

/** Whether a list names the sender: by id, number or user name, with or without the channel in front. */
export function isListed(
  sender: InboundSender,
  list: readonly (string | number)[],
  { entry }: Pick<AccessInput, "entry">,
): boolean {
  if (list.length === 0) return false;
  const own = new Set(
    [sender.id, sender.e164, sender.username && `@${sender.username.replace(/^@/, "")}`]
      .filter((id) => id !== undefined && id !== "")
      .map((id) => entry.normalizeSender(String(id))),
  );
  const prefix = `${entry.id}:`;
  return list.some((given) => {
    const text = String(given).trim();
    if (text === "*") return true;
    const bare = text.toLowerCase().startsWith(prefix) ? text.slice(prefix.length) : text;
    return bare !== "" && own.has(entry.normalizeSender(bare));
  });
}

/** Settings of a group or of one of its topics: the topic's over the group's over those of `*`. Undefined when the map names
 *  neither the group nor `*`. */
export function groupSettings(
  groups: AccessSettings["groups"],
  chatId: string,
  threadId: string | undefined,
): GroupSettings | undefined {
  if (!groups) return undefined;
  const wanted = chatId.toLowerCase();
  const key = Object.hasOwn(groups, chatId)
    ? chatId
    : Object.keys(groups).find((id) => id.trim().toLowerCase() === wanted);
  const own = key === undefined ? undefined : groups[key];
  const any = Object.hasOwn(groups, "*") ? groups["*"] : undefined;
  if (!own && !any) return undefined;
  const { topics: anyTopics, ...anyRest } = any ?? {};
  const { topics: ownTopics, ...ownRest } = own ?? {};
  const topic = threadId === undefined ? undefined : (ownTopics?.[threadId] ?? anyTopics?.[threadId]);
  return { ...anyRest, ...ownRest, ...topic };
}
