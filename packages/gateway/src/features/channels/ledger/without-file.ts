/** A reply whose file the platform refused: its words are sent all the same, with a warning in front (channels.md §6.8). Pure. */
import type { OutboundPart, RenderedText } from "../outbound.ts";
import type { OutboxRequest } from "./request.ts";

interface Refused {
  key: string;
  family: string;
  principal: string;
  channel: string;
  accountId: string;
  kind: OutboxRequest["kind"];
  part: number;
  payload: OutboundPart;
  expiresAt: number;
  runRowId?: number;
  sessionKey?: string;
}

/** What is to be sent instead of a failed part and those that fail with it, without a caption that left before the file. Undefined
 *  for anything but the file of a reply. */
export function withoutFile(
  row: Refused,
  rest: readonly OutboundPart[],
  now: number,
  captionSent = false,
): OutboxRequest | undefined {
  const { key, family, principal, channel, accountId, kind, part, payload, runRowId, sessionKey } = row;
  const { content } = payload;
  const lifetimeMs = row.expiresAt - now;
  if (kind !== "reply" || content.type !== "media" || lifetimeMs <= 0) return undefined;
  const files = 1 + rest.filter((one) => one.content.type === "media").length;
  const bodies = rest.flatMap((one) => (one.content.type === "text" ? [one.content.body] : []));
  const warned = warn(
    files > 1 ? `${files} files` : nameOf(content.fileName),
    (captionSent ? undefined : content.caption) ?? bodies.shift(),
  );
  const [first, ...others]: OutboundPart[] = [warned, ...bodies].map((body) => ({
    target: payload.target,
    content: { type: "text", body },
    ...(payload.silent ? { silent: true } : {}),
  }));
  if (!first) return undefined;
  return {
    key: `${key}:text:${part}`,
    family,
    principal,
    channel,
    accountId,
    kind,
    parts: [{ ...first, ...(payload.replyToId ? { replyToId: payload.replyToId } : {}) }, ...others],
    lifetimeMs,
    ...(runRowId === undefined ? {} : { runRowId }),
    ...(sessionKey === undefined ? {} : { sessionKey }),
  };
}

function warn(what: string, body: RenderedText | undefined): RenderedText {
  const warning = `⚠️ ${what} could not be sent.`;
  if (!body) return { text: warning, plain: warning };
  return { text: `${warning}\n\n${body.text}`, plain: `${warning}\n\n${body.plain}` };
}

/** Nothing in it may be read as markup. */
const nameOf = (fileName: string | undefined): string =>
  fileName !== undefined && /^[\p{L}\p{N} .-]{1,80}$/u.test(fileName) ? fileName : "A file";
