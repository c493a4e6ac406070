/** Parts that are one message: albums, texts the platform cut, and messages typed in quick succession (channels.md §5.4, §7.5). One
 *  open bundle per chat; whatever does not belong to it sends it on first, so that the order of a chat stays. */
import type { Timer, World } from "../../../kernel/world.ts";
import type { InboundMessage } from "../inbound.ts";

export interface Joining {
  key: string;
  waitMs: number;
  kind: "album" | "paste" | "debounce";
}

const maxParts = 64;
const maxPasteParts = 12;
const maxPasteChars = 50_000;

interface Bundle<Item> {
  items: Item[];
  joining: Joining;
  timer: Timer;
}

export class Joiner<Item extends { message: InboundMessage }> {
  readonly #world: World;
  readonly #out: (items: Item[]) => void;
  readonly #open = new Map<string, Bundle<Item>>();

  /** `out` gets each message with its parts, in order. */
  constructor(world: World, out: (items: Item[]) => void) {
    this.#world = world;
    this.#out = out;
  }

  add(chat: string, item: Item, joining: Joining | undefined): void {
    const bundle = this.#open.get(chat);
    if (bundle && joining && bundle.joining.key === joining.key && hasRoom(bundle, item)) {
      bundle.items.push(item);
      bundle.timer.cancel();
      bundle.timer = this.#world.after(joining.waitMs, () => this.flush(chat));
      return;
    }
    this.flush(chat);
    if (!joining) {
      this.#out([item]);
      return;
    }
    const timer = this.#world.after(joining.waitMs, () => this.flush(chat));
    this.#open.set(chat, { items: [item], joining, timer });
  }

  flush(chat: string): void {
    const items = this.take(chat);
    if (items.length > 0) this.#out(items);
  }

  /** Takes open bundles out whose first part fits, without sending them on. */
  takeWhere(fits: (item: Item) => boolean): Item[] {
    return [...this.#open].flatMap(([chat, { items }]) => (items[0] && fits(items[0]) ? this.take(chat) : []));
  }

  /** What a chat has open, without sending it on. */
  take(chat: string): Item[] {
    const bundle = this.#open.get(chat);
    if (!bundle) return [];
    bundle.timer.cancel();
    this.#open.delete(chat);
    return bundle.items;
  }

  stop(): void {
    for (const { timer } of this.#open.values()) timer.cancel();
    this.#open.clear();
  }
}

function hasRoom<Item extends { message: InboundMessage }>({ items, joining }: Bundle<Item>, next: Item): boolean {
  if (joining.kind !== "paste") return items.length < maxParts;
  const chars = items.reduce((sum, { message }) => sum + message.text.length, next.message.text.length);
  return items.length < maxPasteParts && chars <= maxPasteChars;
}

/** The one message that several parts are: answered by the last id, read as a whole. */
export function joined(parts: readonly InboundMessage[], kind: Joining["kind"]): InboundMessage {
  const last = parts.at(-1);
  if (!last) throw new Error("nothing to join");
  if (parts.length === 1) return last;
  const texts = parts.map(({ text }) => text).filter((text) => text !== "");
  const replyTo = parts.find((part) => part.replyTo)?.replyTo;
  const forwardedFrom = parts.find((part) => part.forwardedFrom)?.forwardedFrom;
  return {
    ...last,
    messageIds: parts.flatMap((part) => part.messageIds ?? [part.messageId]),
    text: texts.join(kind === "paste" ? "" : "\n"),
    media: parts.flatMap(({ media }) => media),
    mentions: {
      self: parts.some(({ mentions }) => mentions.self),
      others: parts.some(({ mentions }) => mentions.others),
    },
    ...(replyTo ? { replyTo } : {}),
    ...(forwardedFrom ? { forwardedFrom } : {}),
  };
}
