/** Plain Baileys with credentials in memory, for the fake's own tests: nothing of the product is in it. */
import type {
  AuthenticationState,
  BaileysEventMap,
  SignalDataTypeMap,
  UserFacingSocketConfig,
  WASocket,
} from "baileys";
import { Browsers, BufferJSON, initAuthCreds, makeWASocket, proto, WA_CERT_DETAILS } from "baileys";
import type { FakeWhatsApp } from "./api.ts";

type Update = BaileysEventMap["messages.update"][number];
type Logger = NonNullable<UserFacingSocketConfig["logger"]>;

const silent: Logger = {
  level: "silent",
  child: () => silent,
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

/** Survives sockets; `copy` is what a disk would hold if the process were killed now. */
export class MemoryAuth {
  readonly state: AuthenticationState;
  private readonly keys: Map<string, string>;

  constructor(stored?: { creds: string; keys: Map<string, string> }) {
    this.keys = new Map(stored?.keys);
    const creds = stored
      ? (JSON.parse(stored.creds, BufferJSON.reviver) as AuthenticationState["creds"])
      : initAuthCreds();
    this.state = {
      creds,
      keys: {
        get: async <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
          const found: { [id: string]: SignalDataTypeMap[T] } = {};
          for (const id of ids) {
            const text = this.keys.get(`${type}-${id}`);
            if (text === undefined) continue;
            const value = JSON.parse(text, BufferJSON.reviver) as SignalDataTypeMap[T];
            found[id] = (
              type === "app-state-sync-key" ? proto.Message.AppStateSyncKeyData.fromObject(value as object) : value
            ) as SignalDataTypeMap[T];
          }
          return found;
        },
        set: async (data) => {
          for (const [type, values] of Object.entries(data)) {
            for (const [id, value] of Object.entries(values ?? {})) {
              if (value) this.keys.set(`${type}-${id}`, JSON.stringify(value, BufferJSON.replacer));
              else this.keys.delete(`${type}-${id}`);
            }
          }
        },
      },
    };
  }

  copy(): MemoryAuth {
    return new MemoryAuth({ creds: JSON.stringify(this.state.creds, BufferJSON.replacer), keys: this.keys });
  }
}

export interface PlainClient {
  sock: WASocket;
  /** Every message event, in order. */
  messages: { type: string; message: BaileysEventMap["messages.upsert"]["messages"][number] }[];
  /** The next QR code. */
  qr: Promise<string>;
  opened: Promise<void>;
  /** The history after linking was taken. */
  synced: Promise<void>;
  /** Status code of the end. */
  closed: Promise<number | undefined>;
  /** Resolves with the first message that fits, past or future. */
  message(fits: (entry: PlainClient["messages"][number]) => boolean): Promise<PlainClient["messages"][number]>;
  /** The same for updates of messages: acks, receipts. */
  update(fits: (entry: Update) => boolean): Promise<Update>;
  end(): Promise<void>;
}

export function plainClient(
  fake: FakeWhatsApp,
  auth: MemoryAuth,
  config: Partial<UserFacingSocketConfig> = {},
): PlainClient {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(fake.certKey, "base64");
  const sock = makeWASocket({
    auth: auth.state,
    waWebSocketUrl: fake.url,
    version: [2, 3000, 1],
    browser: Browsers.ubuntu("cli"),
    logger: silent,
    syncFullHistory: false,
    markOnlineOnConnect: false,
    // Otherwise an update may come merged into the event for the own message.
    emitOwnEvents: false,
    ...config,
  });
  const qr = Promise.withResolvers<string>();
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number | undefined>();
  const messages: PlainClient["messages"] = [];
  const waiting = new Set<() => void>();
  const updates: Update[] = [];
  const synced = Promise.withResolvers<void>();
  sock.ev.on("creds.update", (update) => {
    Object.assign(auth.state.creds, update);
    if (auth.state.creds.accountSyncCounter > 0) synced.resolve();
  });
  sock.ev.on("messages.update", (list) => {
    updates.push(...list);
    for (const look of waiting) look();
  });
  sock.ev.on("messages.upsert", ({ type, messages: list }) => {
    messages.push(...list.map((message) => ({ type, message })));
    for (const look of waiting) look();
  });
  sock.ev.on("connection.update", (update) => {
    if (update.qr) qr.resolve(update.qr);
    if (update.connection === "open") opened.resolve();
    if (update.connection === "close") {
      const error = update.lastDisconnect?.error as { output?: { statusCode?: number } } | undefined;
      closed.resolve(error?.output?.statusCode);
    }
  });
  const first = <T>(list: readonly T[], fits: (entry: T) => boolean): Promise<T> =>
    new Promise((resolve) => {
      const look = () => {
        const found = list.find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return {
    sock,
    messages,
    qr: qr.promise,
    opened: opened.promise,
    closed: closed.promise,
    synced: synced.promise,
    message: (fits) => first(messages, fits),
    update: (fits) => first(updates, fits),
    end: async () => {
      void sock.end(undefined);
      await closed.promise;
    },
  };
}

/** A new client, linked by QR code, logged in and done with its history. */
export async function linkedClient(
  fake: FakeWhatsApp,
  config?: Partial<UserFacingSocketConfig>,
): Promise<{ auth: MemoryAuth; client: PlainClient }> {
  const auth = new MemoryAuth();
  const first = plainClient(fake, auth, config);
  await fake.phone.scanQr(await first.qr);
  await first.closed;
  const client = plainClient(fake, auth, config);
  await client.opened;
  // Killed before it took the history, a client that wants it holds events back for 20 s after its next login.
  await client.synced;
  await fake.until(({ companions }) => companions.at(-1)?.pending === 0, "the last receipt");
  return { auth, client };
}
