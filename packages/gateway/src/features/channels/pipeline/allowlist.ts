/** `/allowlist` (agent.md §9.2): the owner shows and changes, from a chat, who may write there. A change is written into the config
 *  file and holds as soon as that is read again; pairing is taken back in the same step. */
import { GatewayError } from "@openclaw/protocol";
import type { AccessSettings } from "../channel.ts";
import type { Arrival } from "./arrival.ts";
import { isListed } from "./access.ts";
import type { Ends } from "./ends.ts";
import type { Pairing } from "./pairing.ts";
import type { PipelineOptions } from "./ports.ts";

type ListName = "allowFrom" | "groupAllowFrom";

/** Changes a list of an account in the config file; `edit` gets what stands there now. Returns its path in the config. Rejects with
 *  a GatewayError for people. */
export type EditList = (
  place: { channel: string; accountId: string; list: ListName },
  edit: (now: readonly (string | number)[] | undefined) => (string | number)[],
) => Promise<string>;

export interface AllowlistOptions extends Pick<PipelineOptions, "inbox" | "log"> {
  ends: Ends;
  pairing: Pick<Pairing, "allowed" | "remove">;
  /** Absent where the config cannot be written. */
  editList: EditList | undefined;
}

const maxShown = 50;
const maxIdChars = 64;
const usage = "Use /allowlist, /allowlist add dm|group <id> or /allowlist remove dm|group <id>.";

export class Allowlist {
  readonly #o: AllowlistOptions;

  constructor(options: AllowlistOptions) {
    this.#o = options;
  }

  /** True when the message is this command; it is answered then. */
  take(arrival: Arrival, typed: string): boolean {
    const asked = /^\/allowlist(?:@[\w-]+)?:?(?:\s+([^\n]*))?$/iu.exec(typed.trim());
    if (!asked || !arrival.mayCommand) return false;
    void this.#answer(arrival, (asked[1] ?? "").trim());
    return true;
  }

  /** Never rejects. */
  async #answer(arrival: Arrival, args: string): Promise<void> {
    const { ends, inbox, log } = this.#o;
    const { rows, sessionKey } = arrival;
    let text: string;
    try {
      text = await this.#do(arrival, args);
    } catch (error) {
      if (!(error instanceof GatewayError)) log.error("a list of senders could not be changed", { error });
      text = `⚠️ ${error instanceof GatewayError ? error.message : "The list could not be changed; the log of the gateway has the details."}`;
    }
    ends.commit((tx) => {
      for (const row of rows.slice(0, 1)) ends.notice(tx, row, "allowlist", text, sessionKey);
      for (const { id } of rows) {
        inbox.move(tx, id, "command", { sessionKey });
        inbox.move(tx, id, "answered");
      }
    });
  }

  async #do(arrival: Arrival, args: string): Promise<string> {
    if (!arrival.owner) return "/allowlist is only for the owner of this gateway.";
    const [action = "list", kind, ...words] = args.split(/\s+/u).filter((word) => word !== "");
    if (action.toLowerCase() === "list") return this.#shown(arrival);
    const list = lists.get(kind?.toLowerCase() ?? "");
    const id = arrival.entry.normalizeSender(words.join(" "));
    if (!list || (action !== "add" && action !== "remove")) return usage;
    if (id === "" || id.length > maxIdChars || /[\s\p{Cc}]/u.test(id)) return `Name one sender by id. ${usage}`;
    if (id === "*") return "To let everybody in, set it in the config file; that is not done from a chat.";
    if (arrival.settings.configWrites === false || !this.#o.editList)
      return `Chats may not change the config here (channels.${arrival.channel}.configWrites).`;
    return action === "add" ? this.#add(arrival, list, id) : this.#remove(arrival, list, id);
  }

  async #add(arrival: Arrival, list: ListName, id: string): Promise<string> {
    const { settings, entry } = arrival;
    if (isListed({ id }, effective(settings.access, list), { entry })) return `${id} is in the list already.`;
    const path = await this.#edit(arrival, list, (now) => [...(now ?? effective(settings.access, list)), id]);
    return `${id} was added (${path}).`;
  }

  async #remove(arrival: Arrival, list: ListName, id: string): Promise<string> {
    const { settings, entry, channel, accountId, message } = arrival;
    if (list === "allowFrom" && isListed(message.sender, [id], { entry }))
      return "You cannot remove yourself from a chat; do it in the config file.";
    const paired = list === "allowFrom" && (await this.#o.pairing.remove(channel, accountId, id));
    const named = effective(settings.access, list).filter((one) => one.trim() !== "*");
    if (!isListed({ id }, named, { entry }))
      return paired ? `${id} is not paired any more.` : `${id} is not in the list.`;
    const path = await this.#edit(arrival, list, (now) =>
      (now ?? effective(settings.access, list)).filter(
        (one) => String(one).trim() === "*" || !isListed({ id }, [one], { entry }),
      ),
    );
    return `${id} was removed (${path}).`;
  }

  async #edit({ channel, accountId }: Arrival, list: ListName, edit: Parameters<EditList>[1]): Promise<string> {
    const path = await this.#o.editList?.({ channel, accountId, list }, edit);
    return path ?? "";
  }

  #shown({ settings, channel, accountId }: Arrival): string {
    const { access } = settings;
    const paired = this.#o.pairing.allowed(channel, accountId);
    return [
      `Direct messages (${access.dmPolicy}): ${named(access.allowFrom)}`,
      ...(paired.length > 0 ? [`Paired: ${named(paired)}`] : []),
      `Groups (${access.groupPolicy}): ${access.groupAllowFrom ? named(access.groupAllowFrom) : "as direct messages"}`,
      usage,
    ].join("\n");
  }
}

const lists: ReadonlyMap<string, ListName> = new Map([
  ["dm", "allowFrom"],
  ["direct", "allowFrom"],
  ["group", "groupAllowFrom"],
]);

/** Without a list of their own, groups follow the one for direct messages. */
const effective = (access: AccessSettings, list: ListName): readonly string[] =>
  list === "allowFrom" ? access.allowFrom : (access.groupAllowFrom ?? access.allowFrom);

function named(ids: readonly string[]): string {
  if (ids.length === 0) return "nobody";
  const more = ids.length > maxShown ? `, and ${ids.length - maxShown} more` : "";
  return ids.slice(0, maxShown).join(", ") + more;
}
