/** The channels the config names: who may write, and whether they can start. Nothing is contacted. */
import { channelRows } from "../../features/channels/index.ts";
import type { AccountSettings, ChannelEntry } from "../../features/channels/channel.ts";
import { at, type Check, type DoctorContext, type Found, messageOf } from "./check.ts";

interface Account {
  entry: ChannelEntry;
  settings: AccountSettings;
  /** `channels.telegram.accounts.work` */
  path: string;
}

/** Accounts that are meant to run; none while the config is broken. */
async function accounts(context: DoctorContext): Promise<Account[]> {
  const { config, snapshot, document } = context;
  if (!config || snapshot.verdict !== "ok" || config.gateway.mode === "remote") return [];
  const found: Account[] = [];
  for (const row of channelRows) {
    if (at(document, "channels", row.id) === undefined) continue;
    try {
      const entry = await row.load();
      for (const settings of entry.accounts(config, snapshot.env)) {
        if (!settings.enabled) continue;
        const own = at(document, "channels", row.id, "accounts", settings.accountId) !== undefined;
        found.push({ entry, settings, path: `channels.${row.id}${own ? `.accounts.${settings.accountId}` : ""}` });
      }
    } catch (error) {
      context.skip(`The channel ${row.id} could not be looked at: ${messageOf(error)}`);
    }
  }
  return found;
}

const isEverybody = (list: readonly string[]): boolean => list.includes("*");

export const channelChecks: readonly Check[] = [
  {
    id: "channel-incomplete",
    summary: "every enabled channel account can start",
    find: async (context) =>
      (await accounts(context)).flatMap(({ entry, settings, path }): Found[] =>
        settings.missing === undefined
          ? []
          : [
              {
                severity: "error",
                title: `${entry.label} account ${settings.accountId} cannot start: ${settings.missing}`,
                cause: "It stays off, and nothing is received or sent.",
                fix: `Complete ${path} (${entry.docs}), or disable it: ${context.command(`channels remove --channel ${entry.id}`)}`,
                subject: path,
              },
            ],
      ),
  },
  {
    id: "channel-shared-session",
    summary: "people who do not know each other have conversations of their own",
    find: async (context) => {
      if ((context.config?.session?.dmScope ?? "main") !== "main") return [];
      return (await accounts(context)).flatMap(({ entry, settings, path }): Found[] => {
        const { dmPolicy, allowFrom } = settings.access;
        const people = new Set(allowFrom.map((id) => entry.normalizeSender(id)));
        const several = isEverybody(allowFrom) || people.size > 1;
        if (dmPolicy === "disabled" || !several) return [];
        return [
          {
            severity: "warn",
            title: `Several people may write by ${entry.label}, and all of them share one conversation.`,
            cause: "With session.dmScope main, one person's messages are context for the answers to another.",
            fix: context.command("config set session.dmScope per-channel-peer"),
            subject: path,
          },
        ];
      });
    },
  },
  {
    id: "channel-open",
    summary: "no channel is open to everybody by accident",
    find: async (context) =>
      (await accounts(context)).flatMap(({ entry, settings, path }): Found[] => {
        const { dmPolicy, groupPolicy, groupAllowFrom, groups } = settings.access;
        const openDms = dmPolicy === "open";
        const openGroups = groupPolicy === "open" && (groups === undefined || groups["*"] !== undefined);
        const anyone = groupPolicy === "allowlist" && groups !== undefined && isEverybody(groupAllowFrom ?? []);
        if (!openDms && !openGroups && !anyone) return [];
        const where = [openDms ? "direct messages" : "", openGroups || anyone ? "groups" : ""]
          .filter(Boolean)
          .join(" and ");
        return [
          {
            severity: "info",
            title: `Anybody may write to ${entry.label} account ${settings.accountId} in ${where}.`,
            cause: "Each message is a turn of the model, which you pay for, with the tools your policy allows.",
            fix: `If that is not meant: ${context.command(`config set ${path}.${openDms ? "dmPolicy pairing" : "groupPolicy allowlist"}`)}`,
            subject: path,
          },
        ];
      }),
  },
];
