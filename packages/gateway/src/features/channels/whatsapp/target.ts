/** What people type as a destination or a sender (channels.md §4.2, §6.6). */
import { GatewayError } from "@openclaw/protocol";
import type { Target } from "../channel.ts";
import { bareJid, e164Of, isGroup, isLid, isPn } from "./jid.ts";

const forms = "a number like +15551234567, a group like 120363012345678901@g.us, or an id like 1234567890@lid";

/** Throws GatewayError("invalid") that shows the accepted forms. */
export function parseTarget(text: string): Target {
  const typed = withoutPrefix(text);
  const group = /^(?:group:)?(\d+(?:-\d+)*@g\.us)$/iu.exec(typed)?.[1];
  if (group) return { chatId: group.toLowerCase(), kind: "group" };
  if (/^\d+(?::\d+)?@(?:s\.whatsapp\.net|c\.us|lid)$/iu.test(typed)) {
    const jid = typed.toLowerCase();
    const chatId = isPn(jid) ? e164Of(jid) : bareJid(jid);
    if (chatId) return { chatId, kind: "direct" };
  }
  const number = typed.includes("@") ? undefined : numberOf(typed);
  if (number) return { chatId: number, kind: "direct" };
  throw new GatewayError("invalid", `"${shown(text)}" is no WhatsApp destination: use ${forms}.`);
}

/** A sender id as lists compare it: E.164, or the address by local id; `*` and groups stay what they are. */
export function normalizeSender(id: string): string {
  const typed = withoutPrefix(id);
  if (typed.includes("@")) {
    const jid = typed.toLowerCase();
    if (isPn(jid)) return e164Of(jid) ?? jid;
    return isLid(jid) ? bareJid(jid) : isGroup(jid) ? jid.replace(/^group:/u, "") : jid;
  }
  return numberOf(typed) ?? typed.toLowerCase();
}

function withoutPrefix(text: string): string {
  return text
    .trim()
    .replace(/^(?:whatsapp:\s*)+/iu, "")
    .trim();
}

/** People write numbers with spaces, dots, brackets and dashes, never with letters. */
function numberOf(typed: string): string | undefined {
  if (!/^(?:\+|00)?[\d\s().\-/]+$/u.test(typed)) return undefined;
  const digits = typed.replace(/^00/u, "").replace(/\D/gu, "");
  return digits.length >= 5 && digits.length <= 15 ? `+${digits}` : undefined;
}

const shown = (text: string) => text.slice(0, 60);
