/** Who exists behind the server: the owner of the account, contacts and groups. */
import type { Person } from "./api.ts";
import { Peer } from "./peer.ts";
import { server } from "./node.ts";

export interface Contact extends Person {
  /** Signal keys of the contact's only phone. */
  peer: Peer;
}

export interface Group {
  jid: string;
  subject: string;
  /** The owner among them. */
  members: Contact[];
  addressing: "pn" | "lid";
  createdAt: number;
  /** Devices of the client that hold the sender key of a member, as `<lid> <device>`. */
  distributed: Set<string>;
}

export const userOf = (jid: string): string => jid.split("@")[0]?.split(":")[0] ?? "";

export class People {
  readonly me: Contact;
  readonly groups = new Map<string, Group>();
  private readonly contacts = new Map<string, Contact>();
  private lids = 100_000_000_000_000;
  private groupIds = 120_363_000_000_000_000n;

  constructor(me: { pn: string; name: string }) {
    this.me = this.add(me);
  }

  /** The same person again when the number is known; name and LID are then taken over. */
  add(person: { pn: string; lid?: string; name?: string }): Contact {
    const digits = userOf(person.pn).replace(/\D/gu, "");
    if (!/^\d{5,15}$/u.test(digits)) throw new Error(`"${person.pn}" is no phone number.`);
    const known = this.contacts.get(digits);
    const contact: Contact = known ?? {
      pn: `${digits}@${server}`,
      lid: `${++this.lids}@lid`,
      number: `+${digits}`,
      name: digits,
      peer: new Peer(),
    };
    if (person.name !== undefined) contact.name = person.name;
    if (person.lid !== undefined) {
      this.contacts.delete(userOf(contact.lid));
      contact.lid = `${userOf(person.lid)}@lid`;
    }
    this.contacts.set(digits, contact).set(userOf(contact.lid), contact);
    return contact;
  }

  /** By PN, LID or number. */
  byJid(jid: string): Contact | undefined {
    return this.contacts.get(userOf(jid).replace(/^\+/u, ""));
  }

  /** By PN, LID, number or name, or "me". Throws when there is nobody. */
  find(reference: string): Contact {
    if (reference === "me") return this.me;
    const found = this.byJid(reference) ?? [...this.contacts.values()].find((contact) => contact.name === reference);
    if (!found) throw new Error(`There is no contact "${reference}".`);
    return found;
  }

  isMe(contact: Contact | undefined): boolean {
    return contact === this.me;
  }

  createGroup(group: { subject: string; members: string[]; addressing?: "pn" | "lid" }): Group {
    const made: Group = {
      jid: `${++this.groupIds}@g.us`,
      subject: group.subject,
      members: [...new Set([this.me, ...group.members.map((member) => this.find(member))])],
      addressing: group.addressing ?? "lid",
      createdAt: Date.now(),
      distributed: new Set(),
    };
    this.groups.set(made.jid, made);
    return made;
  }

  /** Throws when there is none. */
  group(jid: string): Group {
    const found = this.groups.get(jid);
    if (!found) throw new Error(`There is no group "${jid}".`);
    return found;
  }

  /** A chat as tests name it: by number, where the client used a LID. */
  chat(jid: string): string {
    return this.byJid(jid)?.pn ?? jid;
  }
}

export const publicPerson = ({ pn, lid, number, name }: Contact): Person => ({ pn, lid, number, name });
