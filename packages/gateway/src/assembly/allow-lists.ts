/** Writes the lists of senders that chats may change into the config file. */
import { editConfigFile, getIn, readConfig, type WriteWorld } from "../config/index.ts";
import type { EditList } from "../features/channels/index.ts";
import { declared } from "./sections.ts";

/** The account's own list where it has one, else the channel's; where there is none yet, the account's if it has a name. */
export const listEditor =
  ({ world, path }: { world: WriteWorld; path: string }): EditList =>
  async ({ channel, accountId, list }, edit) => {
    const { parsed } = readConfig(path, world, declared);
    const shared = ["channels", channel, list];
    const account = ["channels", channel, "accounts", accountId];
    const own = [...account, list];
    const named =
      getIn(parsed, own) !== undefined || (getIn(parsed, shared) === undefined && getIn(parsed, account) !== undefined);
    const place = named ? own : shared;
    const now = getIn(parsed, place);
    const value = edit(Array.isArray(now) ? (now as (string | number)[]) : undefined);
    await editConfigFile(path, [{ path: place, value }], world, declared);
    return place.join(".");
  };
