/** Writes the lists of senders that chats may change into the config file. */
import { GatewayError } from "@openclaw/protocol";
import { editConfigFile, getIn, readConfig, type WriteWorld } from "../config/index.ts";
import type { EditList } from "../features/channels/index.ts";
import { declared } from "./sections.ts";

/** How often a change is made anew because somebody else wrote the file meanwhile. */
const maxTries = 3;

/** The account's own list where it has one, else the channel's; where there is none yet, the account's if it has a name. Changes
 *  are made one after the other, each of what the file says then: none undoes another. */
export function listEditor({ world, path }: { world: WriteWorld; path: string }): EditList {
  let before: Promise<unknown> = Promise.resolve();
  const write: EditList = async ({ channel, accountId, list }, edit) => {
    for (let tries = 1; ; tries++) {
      const { parsed, hash: baseHash } = readConfig(path, world, declared);
      const shared = ["channels", channel, list];
      const account = ["channels", channel, "accounts", accountId];
      const own = [...account, list];
      const named =
        getIn(parsed, own) !== undefined ||
        (getIn(parsed, shared) === undefined && getIn(parsed, account) !== undefined);
      const place = named ? own : shared;
      const now = getIn(parsed, place);
      const value = edit(Array.isArray(now) ? (now as (string | number)[]) : undefined);
      try {
        await editConfigFile(path, [{ path: place, value }], world, declared, { baseHash });
        return place.join(".");
      } catch (error) {
        if (!(error instanceof GatewayError) || error.kind !== "conflict" || tries === maxTries) throw error;
      }
    }
  };
  return (place, edit) => {
    const done = before.then(() => write(place, edit));
    // Whoever asked hears of it.
    before = done.catch(() => {});
    return done;
  };
}
