/** What was sent, for devices that could not read it and ask again (R-WA-5). Texts are made anew from the outbox; files, polls and
 *  texts the outbox does not know are kept as they were sent, for a day. */
import type { World } from "../../../kernel/world.ts";
import type { Store } from "../../../store/store.ts";
import type { OutboundPart } from "../outbound.ts";
import type { AuthStore } from "./auth.store.ts";
import { unwrap } from "./content.ts";
import { bareJid, isLid } from "./jid.ts";
import type { LinkKeys } from "./link-keys.ts";
import { chatNames, textAgain } from "./outgoing.ts";
import type { proto, WAMessage, WAMessageKey, WhatsAppLibrary } from "./socket.ts";

const kind = "sent-message";
const keptMs = 24 * 60 * 60_000;

interface Kept {
  at: number;
  content: Buffer;
}

export interface SentContentsOptions {
  world: World;
  store: Store;
  accountId: string;
  auth: AuthStore;
  library: WhatsAppLibrary;
  sentPart: (chatId: string, messageId: string) => OutboundPart | undefined;
}

const maxMarked = 500;

export class SentContents {
  readonly #o: SentContentsOptions;
  readonly #marked = new Set<string>();

  constructor(options: SentContentsOptions) {
    this.#o = options;
  }

  /** Marks a text that is not a part of the outbox, before it is sent. */
  cannotBeMadeAnew(id: string): void {
    this.#marked.delete(id);
    this.#marked.add(id);
    if (this.#marked.size > maxMarked) for (const oldest of this.#marked) if (this.#marked.delete(oldest)) break;
  }

  /** Keeps a message of ours that cannot be made anew; it becomes durable with the keys that sent it. */
  keep({ key, message }: WAMessage, keys: LinkKeys): void {
    const content = key.fromMe && key.id ? unwrap(message) : undefined;
    if (!content || !key.id || !(this.#marked.delete(key.id) || isFileOrPoll(content))) return;
    const kept: Kept = { at: this.#o.world.now(), content: Buffer.from(this.#o.library.encodeMessage(content)) };
    keys.set({ [kind]: { [key.id]: kept } });
  }

  /** Undefined on a miss: the library then gives up, which is right for what is older. */
  async find(
    key: WAMessageKey,
    pnOfLid: (lid: string) => Promise<string | undefined>,
  ): Promise<proto.IMessage | undefined> {
    const { id, remoteJid } = key;
    if (!id || !remoteJid) return undefined;
    const jid = bareJid(remoteJid);
    const pn = isLid(jid) ? await pnOfLid(jid) : undefined;
    for (const chatId of chatNames(jid, pn)) {
      const part = this.#o.sentPart(chatId, id);
      const again = part && textAgain(part);
      if (again) return again;
    }
    const kept = this.#o.auth.read(kind, id) as Kept | undefined;
    if (!kept || kept.at < this.#o.world.now() - keptMs) return undefined;
    return this.#o.library.decodeMessage(kept.content);
  }

  /** Forgets what nobody may ask for any more. */
  async sweep(): Promise<void> {
    const { store, accountId, auth, world } = this.#o;
    const ids = store.all<{ id: string }>(
      "SELECT id FROM whatsapp_auth WHERE account_id = ? AND kind = ? LIMIT 256",
      accountId,
      kind,
    );
    const old = ids.filter(({ id }) => ((auth.read(kind, id) as Kept | undefined)?.at ?? 0) < world.now() - keptMs);
    if (old.length > 0) await auth.write(old.map(({ id }) => ({ kind, id, value: undefined })));
  }
}

function isFileOrPoll(content: proto.IMessage): boolean {
  const { pollCreationMessage, pollCreationMessageV2, pollCreationMessageV3 } = content;
  const { imageMessage, videoMessage, audioMessage, documentMessage, stickerMessage } = content;
  const poll = pollCreationMessage ?? pollCreationMessageV2 ?? pollCreationMessageV3;
  return Boolean(poll ?? imageMessage ?? videoMessage ?? audioMessage ?? documentMessage ?? stickerMessage);
}
