/** JIDs, the addresses of WhatsApp (channels.md §6.6). A phone number has two: by number (PN) and by an opaque local id (LID). */

export interface Jid {
  user: string;
  device: number;
  server: string;
}

/** Undefined when it is no JID. */
export function parseJid(jid: string): Jid | undefined {
  const match = /^([^@:]+?)(?:_\d+)?(?::(\d{1,5}))?@([a-z.]+)$/u.exec(jid);
  if (!match) return undefined;
  return { user: match[1] ?? "", device: Number(match[2] ?? 0), server: match[3] ?? "" };
}

export const isPn = (jid: string): boolean => /@(?:s\.whatsapp\.net|hosted|c\.us)$/u.test(jid);
export const isLid = (jid: string): boolean => /@(?:lid|hosted\.lid)$/u.test(jid);
export const isGroup = (jid: string): boolean => jid.endsWith("@g.us");
/** A chat between two people. */
export const isDirect = (jid: string): boolean => isPn(jid) || isLid(jid);

/** The address of a person without the device; the same for each device of the account. */
export function bareJid(jid: string): string {
  const parsed = parseJid(jid);
  if (!parsed) return jid;
  if (isPn(jid)) return `${parsed.user}@s.whatsapp.net`;
  return isLid(jid) ? `${parsed.user}@lid` : jid;
}

/** `+` and digits of an address by number. */
export function e164Of(jid: string): string | undefined {
  const parsed = isPn(jid) ? parseJid(jid) : undefined;
  return parsed && /^\d{5,16}$/u.test(parsed.user) ? `+${parsed.user}` : undefined;
}

/** The address of a number. */
export const jidOf = (e164: string): string => `${e164.replace(/\D/gu, "")}@s.whatsapp.net`;
