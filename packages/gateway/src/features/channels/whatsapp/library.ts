/** The library itself: the only file that imports it, loaded when an account starts. It dials and uploads by its own means, the
 *  one exception to the World's network door: it takes no `fetch`. Pinned in package.json; the wire tests hold what this file relies
 *  on beyond published types. */
import {
  type BaileysEventMap,
  DEFAULT_CONNECTION_CONFIG,
  initAuthCreds,
  type LIDMapping,
  makeWASocket,
  proto,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type SocketConfig,
} from "baileys";
import { VERSION } from "../../../kernel/version.ts";
import { bareJid } from "./jid.ts";
import type { KeyData, LinkKeys } from "./link-keys.ts";
import { keepSessionsWhole, sessionKeys } from "./signal-sessions.ts";
import type { SocketEvents, SocketLike, SocketOptions, WhatsAppLibrary } from "./socket.ts";
import { Transport } from "./transport.ts";

/** Version of the web client this release was tested with. Never asked for over the network: that would be a call to a third
 *  party, and an untested answer. WhatsApp refuses versions that are too old with 405. */
const clientVersion: [number, number, number] = [2, 3000, 1_043_857_760];

/** Nothing, padded as the wire has it. */
const emptyMessage = Uint8Array.of(1);

export const library: WhatsAppLibrary = {
  newCreds: initAuthCreds,
  open,
  encodeMessage: (message) => proto.Message.encode(message).finish(),
  decodeMessage: (bytes) => proto.Message.decode(bytes),
};

function open(options: SocketOptions): SocketLike {
  keepSessionsWhole();
  const { events, keys, creds } = options;
  /** Between a message's decryption and its emergence the library must wait for nothing from the network: its frames are held. */
  let emerging = false;
  const store = keyStore(keys);
  const socket = makeWASocket({
    auth: { creds, keys: store },
    version: clientVersion,
    browser: ["OpenClaw", "cli", VERSION],
    logger: quietLogger(options.debug),
    ...(options.url === undefined ? {} : { waWebSocketUrl: options.url }),
    syncFullHistory: false,
    markOnlineOnConnect: false,
    emitOwnEvents: true,
    getMessage: options.sentMessage,
    cachedGroupMetadata: (jid) => Promise.resolve(options.group(jid)),
    makeSignalRepository: (auth, logger, lidsOf) => {
      const lookUp = async (jids: string[]): Promise<LIDMapping[] | undefined> =>
        emerging ? undefined : await lidsOf?.(jids);
      const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
        { creds: auth.creds, keys: sessionKeys(store) },
        logger,
        lookUp,
      );
      const watched =
        <P>(decrypt: (parameters: P) => Promise<Uint8Array>) =>
        async (parameters: P): Promise<Uint8Array> => {
          const before = keys.position;
          try {
            const result = await decrypt(parameters);
            emerging = true;
            events.decrypted(before);
            return result;
          } catch (error) {
            emerging = false;
            events.givenUp();
            // Its receipt was lost, and its key is used up. The library would ask for it again, and the sender's device begin a new
            // session for that; as an empty message it gets its receipt.
            if (transport.isRepeated((platformId) => events.stored(platformId))) return emptyMessage;
            throw error;
          }
        };
      repository.decryptMessage = watched(repository.decryptMessage.bind(repository));
      repository.decryptGroupMessage = watched(repository.decryptGroupMessage.bind(repository));
      return repository;
    },
  });
  const transport = new Transport(socket.ws, events, options.world);
  // Listeners would hear of messages only when the library's buffers are flushed, up to 20 s after a first login.
  const emit = socket.ev.emit.bind(socket.ev);
  socket.ev.emit = (event, data) => {
    if (event === "messages.upsert") emerging = false;
    if (event !== "creds.update") tell(event, data, events, transport);
    const result = emit(event, data);
    // Only now the library has merged them into the object that is stored.
    if (event === "creds.update") events.credsChanged();
    return result;
  };
  return {
    creds,
    sendMessage: (jid, content, more) => socket.sendMessage(jid, content, more),
    write: (frame) => transport.write(frame),
    readMessages: (messageKeys) => socket.readMessages(messageKeys),
    presence: (kind, jid) => socket.sendPresenceUpdate(kind, jid),
    groupMetadata: (jid) => socket.groupMetadata(jid),
    pnOfLid: async (jid) => {
      const pn = await socket.signalRepository.lidMapping.getPNForLID(bareJid(jid));
      return pn ? bareJid(pn) : undefined;
    },
    requestPairingCode: (digits) => socket.requestPairingCode(digits),
    // Its own `logout` closes the transport before the frame is written.
    logout: () =>
      socket.sendNode({
        tag: "iq",
        attrs: { to: "s.whatsapp.net", type: "set", id: socket.generateMessageTag(), xmlns: "md" },
        content: [{ tag: "remove-companion-device", attrs: { jid: creds.me?.id ?? "", reason: "user_initiated" } }],
      }),
    reupload: (message) => socket.updateMediaMessage(message),
    end: () => transport.end(() => socket.end(undefined)),
  };
}

function tell<E extends keyof BaileysEventMap>(
  event: E,
  data: BaileysEventMap[E],
  events: SocketEvents,
  transport: Transport,
): void {
  const is = <K extends keyof BaileysEventMap>(name: K, _value: unknown): _value is BaileysEventMap[K] =>
    (event as string) === name;
  if (is("messages.upsert", data)) {
    if (data.messages.some(({ message }) => message)) transport.markRead();
    const away = data.messages.filter(({ key }) => transport.takeAway(key.id ?? "")).length > 0;
    return events.messages(data.messages, away ? "append" : data.type);
  }
  if (is("messages.update", data)) {
    return events.receipts(
      data
        .filter(({ update }) => update.status !== undefined && update.status !== null)
        .map(({ key, update }) =>
          update.status === proto.WebMessageInfo.Status.ERROR
            ? { key, failed: String((update.messageStubParameters as unknown[] | undefined)?.[0] ?? "unknown") }
            : { key },
        ),
    );
  }
  if (is("message-receipt.update", data)) return events.receipts(data.map(({ key }) => ({ key })));
  if (is("groups.update", data) || is("groups.upsert", data)) {
    return events.groupsChanged(data.map((group) => group.id ?? ""));
  }
  if (is("group-participants.update", data)) return events.groupsChanged([data.id]);
  if (!is("connection.update", data)) return;
  if (data.qr !== undefined) events.qr(data.qr);
  if (data.isNewLogin) events.paired();
  if (data.connection === "open") events.open();
  if (data.connection === "close") events.closed(endOf(data.lastDisconnect?.error));
}

/** The library's errors carry the platform's number in `output.statusCode`. */
function endOf(error: unknown): { status: number; message: string } {
  const output = typeof error === "object" && error !== null && "output" in error ? error.output : undefined;
  const code = typeof output === "object" && output !== null && "statusCode" in output ? output.statusCode : undefined;
  const message = error instanceof Error ? error.message : "connection closed";
  return { status: typeof code === "number" ? code : 428, message };
}

/** The library adds transactions of its own on top. */
function keyStore(keys: LinkKeys): SignalKeyStore {
  return {
    get: <T extends keyof SignalDataTypeMap>(kind: T, ids: string[]) => {
      const found = keys.get(kind, ids);
      if (kind === "app-state-sync-key") {
        for (const [id, value] of Object.entries(found)) {
          found[id] = proto.Message.AppStateSyncKeyData.fromObject(value as Record<string, unknown>);
        }
      }
      return found as { [id: string]: SignalDataTypeMap[T] };
    },
    set: (data) => keys.set(data as KeyData),
  };
}

/** The library logs whole nodes and keys: only its words are kept, never what it shows with them. */
/** Why, in the library's words; the rest of what it logs beside a text may hold keys. */
function reasonIn(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const error = "err" in value ? value.err : "error" in value ? value.error : undefined;
  return error instanceof Error ? error.message : undefined;
}

function quietLogger(debug: (line: string) => void): SocketConfig["logger"] {
  const say = (value: unknown, text?: string) => {
    const words = text ?? (typeof value === "string" ? value : undefined);
    if (words === undefined) return;
    const reason = reasonIn(value);
    debug((reason === undefined ? words : `${words}: ${reason}`).slice(0, 200));
  };
  const silent = () => {};
  const logger: SocketConfig["logger"] = {
    level: "silent",
    child: () => logger,
    trace: silent,
    debug: silent,
    info: silent,
    warn: say,
    error: say,
  };
  return logger;
}
