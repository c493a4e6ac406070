/** One WhatsApp account: a device linked to somebody's phone. Holds what outlives a connection: the link, what was sent, facts on
 *  groups. At most one socket at a time (R-WA-2). */
import { mkdir, open, realpath, rename } from "node:fs/promises";
import { join, sep } from "node:path";
import { GatewayError } from "@openclaw/protocol";
import { commandLine } from "../../../kernel/paths.ts";
import type { AccountDeps, ChannelAccount, ConnectionEnd, ConnectionEvents, Target } from "../channel.ts";
import { fileKind } from "../file-kind.ts";
import type { MediaRef } from "../inbound.ts";
import type { OutboundPart, SendOutcome } from "../outbound.ts";
import type { ArrivalContext, OwnIdentity } from "./arrivals.ts";
import { AuthStore } from "./auth.store.ts";
import { Connection, groupKind } from "./connection.ts";
import { unwrap, type WhatsAppMedia } from "./content.ts";
import { endsLink, isBadSession } from "./ends.ts";
import { Groups } from "./groups.ts";
import { LinkDirectory } from "./link-directory.ts";
import { isLinked } from "./link.ts";
import { fetchMedia, MediaGone } from "./media.ts";
import { addressOf, idBefore, messageOf, type Quotable, textOf, wordsApart } from "./outgoing.ts";
import { RecentMessages } from "./recent-messages.ts";
import { SentContents } from "./sent-contents.ts";
import { SentMessages } from "./sent-messages.ts";
import type { WhatsAppSettings } from "./settings.ts";
import type { GroupMetadata, SocketLike, WAMessageKey, WhatsAppLibrary } from "./socket.ts";
import { Uploads } from "./uploads.ts";

/** The contract gives a send 60 s. */
const sendMs = 55_000;
/** The platform answers in a fraction of that. */
const acknowledgeMs = 5_000;
/** The library's: after a longer stall the platform may have let go. */
const keepAliveMs = 30_000;
const logoutMs = 2_500;

export class WhatsAppAccount implements ChannelAccount {
  readonly #deps: AccountDeps<WhatsAppSettings>;
  readonly #library: WhatsAppLibrary;
  readonly #url: string | undefined;
  readonly #auth: AuthStore;
  readonly #directory: LinkDirectory;
  readonly #groups: Groups;
  readonly #sent: SentMessages;
  readonly #contents: SentContents;
  readonly #recent = new RecentMessages();
  readonly #uploads = new Uploads();
  #connection: Connection | undefined;
  #badSessions = 0;

  constructor(deps: AccountDeps<WhatsAppSettings>, library: WhatsAppLibrary, url: string | undefined) {
    const { world, store, accountId, log } = deps;
    this.#deps = deps;
    this.#library = library;
    this.#url = url;
    this.#auth = new AuthStore(store, accountId);
    this.#directory = new LinkDirectory({ world, log, accountId, auth: this.#auth });
    this.#groups = new Groups(world, (jid) => this.#auth.read(groupKind, jid) as GroupMetadata | undefined);
    this.#sent = new SentMessages(world);
    this.#contents = new SentContents({ world, store, accountId, auth: this.#auth, library, sentPart: deps.sentPart });
  }

  linked(): boolean {
    const creds = this.#auth.creds();
    if (creds) return isLinked(creds);
    return this.#directory.holdsLink(this.#settings().authDir);
  }

  async connect(
    events: ConnectionEvents,
    signal: AbortSignal,
    options?: { login?: { phone?: string } },
  ): Promise<ConnectionEnd> {
    const { world, log } = this.#deps;
    try {
      const dir = await this.#directory.ensureImported(this.#settings().authDir);
      await this.#contents.sweep();
      if (signal.aborted) return { kind: "aborted" };
      const connection = new Connection({
        library: this.#library,
        world,
        log,
        url: this.#url,
        auth: this.#auth,
        dir,
        events,
        login: options?.login,
        groups: this.#groups,
        heartbeatMs: this.#settings().heartbeatSeconds * 1_000,
        arrival: (own) => this.#arrival(own),
        sentMessage: (key, pnOfLid) => this.#contents.find(key, pnOfLid),
        seen: (message, keys) => {
          this.#recent.add(message);
          this.#contents.keep(message, keys);
        },
        commands: this.#commands(),
        badSessions: this.#badSessions,
      });
      this.#connection = connection;
      const end = await connection.run(signal);
      this.#badSessions = isBadSession(end) ? this.#badSessions + 1 : 0;
      if (endsLink(end)) {
        await this.#auth.setAside(world.now());
        events.note({ authSavedAt: undefined });
      }
      return end;
    } catch (error) {
      return { kind: "retry", message: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#connection = undefined;
    }
  }

  newMessageId(): string {
    return `3EB0${this.#deps.world.randomBytes(9).toString("hex").toUpperCase()}`;
  }

  async send(part: OutboundPart, attempt: { clientMsgId?: string; signal: AbortSignal }): Promise<SendOutcome> {
    const connection = this.#connection;
    const socket = connection?.socket;
    if (!connection || !socket)
      return { state: "retry", reason: "not-connected", detail: "WhatsApp is not connected." };
    const refused = await this.#refuse(part);
    if (refused) return { state: "failed", reason: "rejected", detail: refused };
    const id = attempt.clientMsgId ?? this.newMessageId();
    const words = wordsApart(part);
    if (words) {
      const { signal } = attempt;
      this.#contents.cannotBeMadeAnew(idBefore(id));
      const said = await this.send(words.before, { clientMsgId: idBefore(id), signal });
      if (said.state !== "sent") return said;
      const outcome = await this.send(words.voice, { clientMsgId: id, signal });
      return outcome.state === "failed" ? { ...outcome, captionSent: true } : outcome;
    }
    const jid = addressOf(part.target.chatId);
    this.#sent.add(id, textOf(part.content));
    if (part.content.type === "text") this.#showTyping(socket, jid);
    const acknowledged = connection.acknowledged(id, sendMs + acknowledgeMs);
    const sending = socket.sendMessage(jid, messageOf(part, this.#quoted(part, jid)), { messageId: id });
    const result = await this.#within(sendMs, sending, attempt.signal);
    if (result.state === "failed") {
      // Refused by the library before the message's own frame was made.
      if (part.content.type === "media" && !connection.over && this.#uploads.failed(id)) {
        return { state: "failed", reason: "upload", detail: `WhatsApp does not take the file: ${result.detail}` };
      }
      return { state: "retry", reason: "network", detail: result.detail };
    }
    if (result.state === "late")
      return { state: "unknown", reason: "timeout", detail: "WhatsApp did not take it in time." };
    if (!(await connection.written())) {
      return { state: "retry", reason: "network", detail: "The connection ended before the message was written." };
    }
    const ack = await this.#atMost(acknowledgeMs, acknowledged);
    if (ack?.error !== undefined) return refusal(ack.error);
    if (!ack && connection.over) {
      return {
        state: "unknown",
        reason: "no-answer",
        detail: "The connection ended before WhatsApp confirmed the message.",
      };
    }
    return { state: "sent", messageId: id, chatId: part.target.chatId, facts: { toJid: jid } };
  }

  async download(
    ref: MediaRef,
    limits: { maxBytes: number; signal: AbortSignal },
  ): Promise<{ path: string; mimeType: string; sizeBytes: number }> {
    const { world, mediaDir } = this.#deps;
    const media = ref.ref as WhatsAppMedia;
    if ((ref.sizeBytes ?? 0) > limits.maxBytes) {
      throw new GatewayError("invalid", `The file is larger than ${Math.round(limits.maxBytes / 1024 / 1024)} MB.`);
    }
    const dir = join(mediaDir, "inbound");
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const fetching = { world, dir, ...limits, anyHost: this.#url !== undefined };
    const done = async (file: { path: string; sizeBytes: number }) => {
      // What the sender says about it is only believed where the bytes say nothing.
      const kind = fileKind(await headOf(file.path), ref.fileName, ref.mimeType?.split(";")[0]?.trim().toLowerCase());
      const path = `${file.path}${kind.extension}`;
      await rename(file.path, path);
      return { path, sizeBytes: file.sizeBytes, mimeType: kind.mimeType };
    };
    try {
      return await done(await fetchMedia(media, fetching));
    } catch (error) {
      if (!(error instanceof MediaGone)) throw error;
      return await done(await fetchMedia(await this.#uploadedAgain(media), fetching));
    }
  }

  async typing(chat: Target, on: boolean): Promise<void> {
    await this.#quietly(async (connection) => {
      await connection.socket?.presence(on ? "composing" : "paused", addressOf(chat.chatId));
    });
  }

  async markRead(receipts: readonly unknown[]): Promise<void> {
    const own = this.#connection?.own;
    if (!this.#settings().sendReadReceipts || !own || this.#selfChatMode(own)) return;
    await this.#quietly(async (connection) => {
      await connection.socket?.readMessages(receipts as WAMessageKey[]);
    });
  }

  async react(
    chat: Target,
    messageId: string,
    emoji: string,
    options: { remove?: boolean; receipt?: unknown },
  ): Promise<void> {
    const remoteJid = addressOf(chat.chatId);
    const key = (options.receipt as WAMessageKey | undefined) ??
      this.#recent.get(messageId)?.key ?? { remoteJid, id: messageId, fromMe: this.#sent.has(messageId) };
    const connection = this.#connection;
    if (!connection?.socket) throw new GatewayError("unavailable", "WhatsApp is not connected.");
    const id = this.newMessageId();
    this.#sent.add(id, "");
    const text = options.remove ? "" : emoji;
    await connection.socket.sendMessage(key.remoteJid ?? remoteJid, { react: { text, key } }, { messageId: id });
  }

  async delete(chat: Target, messageId: string): Promise<void> {
    const socket = this.#connection?.socket;
    if (!socket) throw new GatewayError("unavailable", "WhatsApp is not connected.");
    const remoteJid = addressOf(chat.chatId);
    const id = this.newMessageId();
    this.#sent.add(id, "");
    await socket.sendMessage(remoteJid, { delete: { remoteJid, id: messageId, fromMe: true } }, { messageId: id });
  }

  probe(): Promise<{ ok: boolean; elapsedMs: number; error?: string }> {
    // The connection itself is the probe: it is watched all the time, and a second one would push it out (440).
    const open = this.#connection?.socket !== undefined;
    if (open) return Promise.resolve({ ok: true, elapsedMs: 0 });
    return Promise.resolve({ ok: false, elapsedMs: 0, error: this.linked() ? "not connected" : "not linked" });
  }

  async logout(): Promise<{ cleared: boolean; loggedOut: boolean }> {
    const connection = this.#connection;
    let loggedOut = false;
    if (connection?.socket) {
      const telling = connection.socket.logout().then(() => connection.written());
      loggedOut = (await this.#atMost(logoutMs, telling)) ?? false;
      // The platform answers by ending the connection.
      if (loggedOut) await this.#atMost(logoutMs, connection.ended);
    }
    const cleared = this.linked();
    await this.#auth.forget();
    await this.#auth.write([], { dir: this.#directory.path(this.#settings().authDir) });
    return { cleared, loggedOut };
  }

  woke(stalledMs: number): void {
    if (stalledMs > keepAliveMs) this.#connection?.woke();
  }

  #settings(): WhatsAppSettings {
    return this.#deps.account().settings;
  }

  #commands(): { login: string } {
    const { world, accountId } = this.#deps;
    const account = accountId === "default" ? "" : ` --account ${accountId}`;
    return { login: commandLine(world, `channels login --channel whatsapp${account}`) };
  }

  #arrival(own: OwnIdentity): Pick<ArrivalContext, "sent" | "selfChatMode" | "messagePrefix"> {
    return {
      sent: this.#sent,
      selfChatMode: this.#selfChatMode(own),
      messagePrefix: this.#settings().messagePrefix,
    };
  }

  /** The linked number is its owner's own: what they write to others, and others to them, is private. */
  #selfChatMode(own: OwnIdentity): boolean {
    const { settings, access } = this.#deps.account();
    return settings.selfChatMode ?? (access.allowFrom.length === 1 && access.allowFrom[0] === own.e164);
  }

  /** Why a part can never be sent. */
  async #refuse({ content }: OutboundPart): Promise<string | undefined> {
    if (content.type === "poll" && content.options.length > 12) return "WhatsApp polls have at most 12 options.";
    if (content.type !== "media") return undefined;
    try {
      const [file, home] = await Promise.all([realpath(content.path), realpath(this.#deps.mediaDir)]);
      return file.startsWith(`${home}${sep}`) ? undefined : "The file is not in the media store.";
    } catch {
      return "The file is gone.";
    }
  }

  #quoted(part: OutboundPart, jid: string): Quotable | undefined {
    if (part.replyToId === undefined) return undefined;
    return this.#recent.get(part.replyToId) ?? { key: { remoteJid: jid, id: part.replyToId }, text: "" };
  }

  async #uploadedAgain(media: WhatsAppMedia): Promise<WhatsAppMedia> {
    const gone = new GatewayError("unavailable", "WhatsApp no longer has the file.");
    const socket = this.#connection?.socket;
    if (!socket) throw gone;
    const { kind, mediaKey, directPath, url, key } = media;
    const content = { mediaKey: Buffer.from(mediaKey, "base64"), directPath: directPath ?? null, url: url ?? null };
    const result = await this.#within(20_000, socket.reupload({ key, message: { [kind]: content } }), undefined);
    const found = result.state === "done" ? unwrap(result.value.message)?.[kind] : undefined;
    if (!found?.directPath) throw gone;
    return { ...media, directPath: found.directPath, ...(found.url ? { url: found.url } : {}) };
  }

  /** Before a text, as people's phones do. Not waited for: the frames leave in their order. */
  #showTyping(socket: SocketLike, jid: string): void {
    socket.presence("composing", jid).catch((error: unknown) => {
      this.#deps.log.debug("not shown on WhatsApp", { error });
    });
  }

  async #quietly(work: (connection: Connection) => Promise<void>): Promise<void> {
    if (!this.#connection) return;
    try {
      await work(this.#connection);
    } catch (error) {
      this.#deps.log.debug("not shown on WhatsApp", { error });
    }
  }

  async #within<T>(
    ms: number,
    work: Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<{ state: "done"; value: T } | { state: "failed"; detail: string } | { state: "late" }> {
    const late = Promise.withResolvers<{ state: "late" }>();
    const giveUp = () => late.resolve({ state: "late" });
    const timer = this.#deps.world.after(ms, giveUp);
    signal?.addEventListener("abort", giveUp, { once: true });
    const settled = work.then(
      (value) => ({ state: "done" as const, value }),
      (error: unknown) => ({
        state: "failed" as const,
        detail: error instanceof Error ? error.message : String(error),
      }),
    );
    try {
      return await Promise.race([settled, late.promise]);
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", giveUp);
    }
  }

  async #atMost<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const result = await this.#within(ms, work, undefined);
    return result.state === "done" ? result.value : undefined;
  }
}

/** Numbers with which the platform refuses a message for good. */
function refusal(error: string): SendOutcome {
  if (error === "463") {
    return {
      state: "failed",
      reason: "forbidden",
      detail: "WhatsApp does not let this account write to strangers now (463).",
    };
  }
  return { state: "failed", reason: "rejected", detail: `WhatsApp refused the message (${error}).` };
}

/** The first bytes of a file. */
async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
