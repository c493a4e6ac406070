/** Writes the lists of senders that chats may change into the config file. */
import { getIn, type WriteWorld } from "../config/index.ts";
import type { EditList } from "../features/channels/index.ts";
import { editAnew } from "./edit-anew.ts";

/** The account's own list where it has one, else the channel's; where there is none yet, the account's if it has a name. Changes
 *  are made one after the other, each of what the file says then: none undoes another. */
export function listEditor({ world, path }: { world: WriteWorld; path: string }): EditList {
  let before: Promise<unknown> = Promise.resolve();
  const write: EditList = async ({ channel, accountId, list }, edit) => {
    let place: string[] = [];
    await editAnew(path, world, (parsed) => {
      const shared = ["channels", channel, list];
      const account = ["channels", channel, "accounts", accountId];
      const own = [...account, list];
      const named =
        getIn(parsed, own) !== undefined ||
        (getIn(parsed, shared) === undefined && getIn(parsed, account) !== undefined);
      place = named ? own : shared;
      const now = getIn(parsed, place);
      return [{ path: place, value: edit(Array.isArray(now) ? (now as (string | number)[]) : undefined) }];
    });
    return place.join(".");
  };
  return (place, edit) => {
    const done = before.then(() => write(place, edit));
    // Whoever asked hears of it.
    before = done.catch(() => {});
    return done;
  };
}
