/** Answers to `iq` stanzas of a client that is logged in (channels.md §8.5). What is not known gets an empty result: an unanswered
 *  query would stall the caller for a minute. */
import type { Companion } from "./companion.ts";
import type { BinaryNode } from "./node.ts";
import { at, bytes, children, el, result, text, uint } from "./node.ts";
import type { Contact, Group, People } from "./people.ts";
import { bundleNodes, readBundle, readKey, registrationNode } from "./peer.ts";

export interface QueryDeps {
  people: People;
  companions: readonly Companion[];
  /** Whether the client shall upload one-time keys. */
  preKeys: boolean;
  /** Host and port of the media server. */
  mediaHost: () => string;
}

/** With more than five left, a client makes no new ones. */
const enough = 100;

/** Undefined when nothing is known about the query. */
export function answerQuery(deps: QueryDeps, companion: Companion, query: BinaryNode): BinaryNode | undefined {
  const kind = query.attrs["xmlns"];
  switch (kind) {
    case "w:p":
    case "w:stats":
    case "urn:xmpp:whatsapp:dirty":
      return result(query);
    case "passive":
      return result(query);
    case "encrypt":
      return encrypt(deps, companion, query);
    case "usync":
      return usync(deps, query);
    case "abt":
      return result(query, [el("props", { protocol: 1 })]);
    case "privacy":
      return privacy(query);
    case "blocklist":
      return result(query, [el("list")]);
    case "w:m":
      return result(query, [
        el("media_conn", { auth: "fake-auth", ttl: 300, max_buckets: 1 }, [el("host", { hostname: deps.mediaHost() })]),
      ]);
    case "w:g2":
      return groups(deps.people, query);
    case "w:sync:app:state":
      return result(query, [
        el(
          "sync",
          {},
          children(at(query, "sync")).map((collection) =>
            el("collection", { name: collection.attrs["name"], version: 0, has_more_patches: "false" }),
          ),
        ),
      ]);
    case "w:profile:picture":
      return failed(query, 404, "item-not-found");
    default:
      return undefined;
  }
}

function failed(query: BinaryNode, code: number, reason: string): BinaryNode {
  const answer = result(query, [el("error", { code, text: reason })]);
  answer.attrs["type"] = "error";
  return answer;
}

function privacy(query: BinaryNode): BinaryNode {
  if (query.attrs["type"] === "set") return result(query);
  const categories = ["readreceipts", "last", "online", "profile", "status", "groupadd", "calladd", "messages"];
  return result(query, [
    el(
      "privacy",
      {},
      categories.map((name) => el("category", { name, value: "all" })),
    ),
  ]);
}

/** Pre-keys: how many are left, new ones, and those of others. */
function encrypt(deps: QueryDeps, companion: Companion, query: BinaryNode): BinaryNode | undefined {
  const { people } = deps;
  if (at(query, "count")) {
    return result(query, [el("count", { value: deps.preKeys ? companion.preKeys.length : enough })]);
  }
  if (at(query, "digest")) {
    return result(query, [el("digest", {}, [registrationNode(companion.keys.registrationId)])]);
  }
  if (at(query, "rotate")) {
    const skey = at(query, "rotate", "skey");
    if (skey) companion.keys.signedPreKey = { ...readKey(skey), signature: bytes(at(skey, "signature")) };
    return result(query);
  }
  const uploaded = at(query, "list");
  if (uploaded && query.attrs["type"] === "set") {
    const keys = readBundle(query, uint(at(query, "registration")));
    if (keys) companion.keys = { ...keys, preKey: undefined };
    const known = new Set(companion.preKeys.map((key) => key.id));
    companion.preKeys.push(
      ...children(uploaded)
        .map(readKey)
        .filter((key) => !known.has(key.id)),
    );
    return result(query);
  }
  const wanted = at(query, "key");
  if (!wanted) return undefined;
  const users = children(wanted).map((user) => {
    const jid = user.attrs["jid"] ?? "";
    const contact = people.byJid(jid);
    if (!contact) return el("user", { jid }, [el("error", { code: 404, text: "item-not-found" })]);
    const bundle = contact.peer.bundle();
    return el("user", { jid }, [registrationNode(bundle.registrationId), ...bundleNodes(bundle)]);
  });
  return result(query, [el("list", {}, users)]);
}

/** Who has WhatsApp, with which devices, and under which LID. */
function usync(deps: QueryDeps, query: BinaryNode): BinaryNode {
  const asked = at(query, "usync");
  const protocols = new Set(children(at(asked, "query")).map((protocol) => protocol.tag));
  const users = children(at(asked, "list")).map((user) => {
    const typed = text(at(user, "contact"));
    const jid = user.attrs["jid"] ?? `${typed.replace(/\D/gu, "")}@s.whatsapp.net`;
    const contact = deps.people.byJid(jid);
    const byNumber = !jid.endsWith("@lid");
    return el("user", { jid: contact && !byNumber ? contact.lid : (contact?.pn ?? jid) }, [
      protocols.has("contact") ? el("contact", { type: contact ? "in" : "out" }, Buffer.from(typed)) : undefined,
      protocols.has("devices") && contact ? devices(deps, contact) : undefined,
      protocols.has("lid") && contact && byNumber ? el("lid", { val: contact.lid }) : undefined,
    ]);
  });
  return result(query, [
    el("usync", { ...asked?.attrs }, [
      el(
        "result",
        {},
        [...protocols].map((protocol) => el(protocol)),
      ),
      el("list", {}, users),
    ]),
  ]);
}

function devices(deps: QueryDeps, contact: Contact): BinaryNode {
  const own = deps.people.isMe(contact) ? deps.companions.filter((companion) => !companion.removed) : [];
  return el("devices", {}, [
    el("device-list", {}, [
      el("device", { id: 0 }),
      ...own.map(({ device }) => el("device", { id: device, "key-index": device })),
    ]),
  ]);
}

function groups(people: People, query: BinaryNode): BinaryNode {
  const to = query.attrs["to"] ?? "";
  if (at(query, "participating")) {
    return result(query, [el("groups", {}, [...people.groups.values()].map(groupNode))]);
  }
  if (query.attrs["type"] !== "get") return result(query);
  const group = people.groups.get(to);
  return group ? result(query, [groupNode(group)]) : failed(query, 404, "item-not-found");
}

function groupNode(group: Group): BinaryNode {
  const byLid = group.addressing === "lid";
  const owner = group.members[1] ?? group.members[0];
  return el(
    "group",
    {
      id: group.jid.split("@")[0],
      subject: group.subject,
      s_t: Math.floor(group.createdAt / 1000),
      creation: Math.floor(group.createdAt / 1000),
      creator: byLid ? owner?.lid : owner?.pn,
      creator_pn: byLid ? owner?.pn : undefined,
      addressing_mode: group.addressing,
      size: group.members.length,
    },
    group.members.map((member) =>
      el("participant", {
        jid: byLid ? member.lid : member.pn,
        phone_number: byLid ? member.pn : undefined,
        lid: byLid ? undefined : member.lid,
        type: member === owner ? "superadmin" : undefined,
      }),
    ),
  );
}
