/** Renames a group in the config after its platform gave it another id: its settings, and the bindings that name it. */
import { type Edit, getIn, type WriteWorld } from "../config/index.ts";
import type { Logger } from "../kernel/log.ts";
import { editAnew } from "./edit-anew.ts";

export interface GroupMove {
  channel: string;
  accountId: string;
  from: string;
  to: string;
}

/** Throws what the config writer throws; writes nothing when the config does not name the group. */
export const groupMover =
  ({ world, path, log }: { world: WriteWorld; path: string; log: Logger }) =>
  async (move: GroupMove): Promise<void> => {
    // Bindings are named by their place, which another writer may change.
    const moved = await editAnew(path, world, (parsed) => editsOf(parsed, move));
    if (moved) log.info("a group got another id; the config names it by the new one", { ...move });
  };

function editsOf(parsed: unknown, { channel, accountId, from, to }: GroupMove): Edit[] {
  const places = [
    ["channels", channel, "groups"],
    ["channels", channel, "accounts", accountId, "groups"],
  ];
  const groups = places.flatMap((place): Edit[] => {
    const found = getIn(parsed, place);
    if (!isObject(found) || !Object.hasOwn(found, from)) return [];
    const gone = { path: [...place, from], value: undefined };
    // Somebody was faster: what they wrote stands.
    return Object.hasOwn(found, to) ? [gone] : [{ path: [...place, to], value: found[from] }, gone];
  });
  const bindings = getIn(parsed, ["bindings"]);
  const named = (Array.isArray(bindings) ? bindings : []).flatMap((binding, at): Edit[] =>
    getIn(binding, ["match", "channel"]) === channel && getIn(binding, ["match", "peer", "id"]) === from
      ? [{ path: ["bindings", String(at), "match", "peer", "id"], value: to }]
      : [],
  );
  return [...groups, ...named];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
