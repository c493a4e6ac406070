/** The library, played: sockets that do what a test says. */
import { createLogger, type Line, type Logger } from "../../../kernel/log.ts";
import { type FakeWorld, fakeWorld } from "../../../kernel/fake-world.ts";
import { openStore, type SqliteStore } from "../../../store/index.ts";
import type { ConnectionEvents } from "../channel.ts";
import { channelMigrations } from "../channels.store.ts";
import { WhatsAppAccount } from "./account.ts";
import { encodeKey } from "./key-codec.ts";
import { whatsappAccounts } from "./settings.ts";
import type { Creds, SocketLike, SocketOptions, WAMessage, WhatsAppLibrary } from "./socket.ts";

export const ownJid = "15550001000:3@s.whatsapp.net";
export const linkedCreds = {
  me: { id: ownJid, lid: "100000000000001:3@lid", name: "Me" },
  account: { details: Buffer.from("signed") },
};

export class FakeSocket implements SocketLike {
  readonly options: SocketOptions;
  readonly creds: Creds;
  readonly written: string[] = [];
  readonly calls: unknown[][] = [];
  ended = false;
  /** Keeps `end` from resolving, as a transport that does not close. */
  stuck = false;

  constructor(options: SocketOptions) {
    this.options = options;
    this.creds = options.creds;
  }

  get events(): SocketOptions["events"] {
    return this.options.events;
  }

  /** A message comes in as the library does it: keys, receipt, then the message. */
  deliver(message: WAMessage, kind: "notify" | "append" = "notify"): void {
    const { events, keys } = this.options;
    const before = keys.position;
    keys.set({ session: { ann: this.calls.length } });
    events.decrypted(before);
    events.send(Buffer.from(`receipt ${message.key.id ?? ""}`));
    events.messages([message], kind);
  }

  sendMessage: SocketLike["sendMessage"] = (jid, content, options) => {
    this.calls.push(["sendMessage", jid, content, options]);
    this.events.send(Buffer.from(`message ${options.messageId ?? ""}`));
    return Promise.resolve(undefined);
  };
  write(frame: Uint8Array): void {
    this.written.push(Buffer.from(frame).toString());
  }
  readMessages: SocketLike["readMessages"] = (keys) => this.#called("readMessages", keys);
  presence: SocketLike["presence"] = (kind, jid) => this.#called("presence", kind, jid);
  groupMetadata: SocketLike["groupMetadata"] = () => Promise.reject(new Error("no groups here"));
  pnOfLid: SocketLike["pnOfLid"] = () => Promise.resolve(undefined);
  requestPairingCode: SocketLike["requestPairingCode"] = () => Promise.resolve("ABCD1234");
  logout: SocketLike["logout"] = () => this.#called("logout");
  reupload: SocketLike["reupload"] = (message) => Promise.resolve(message);
  end(): Promise<void> {
    this.ended = true;
    return this.stuck ? new Promise(() => {}) : Promise.resolve();
  }

  #called(...call: unknown[]): Promise<void> {
    this.calls.push(call);
    return Promise.resolve();
  }
}

export class FakeLibrary implements WhatsAppLibrary {
  readonly sockets: FakeSocket[] = [];
  /** Most sockets that were alive together. */
  most = 0;

  get live(): number {
    return this.sockets.filter((socket) => !socket.ended).length;
  }
  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  newCreds(): Creds {
    return {} as Creds;
  }
  open(options: SocketOptions): FakeSocket {
    const socket = new FakeSocket(options);
    this.sockets.push(socket);
    if (this.sockets.length > 20) this.sockets.shift();
    this.most = Math.max(this.most, this.live);
    return socket;
  }
  encodeMessage(message: unknown): Uint8Array {
    return Buffer.from(JSON.stringify(message));
  }
  decodeMessage(bytes: Uint8Array): Record<string, unknown> {
    return JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  }
}

export interface Played {
  world: FakeWorld;
  store: SqliteStore;
  library: FakeLibrary;
  account: WhatsAppAccount;
  lines: Line[];
  log: Logger;
}

/** An account with a stored link, unless `linked` is false. */
export async function played(
  options: { linked?: boolean; channel?: Record<string, unknown>; web?: Record<string, unknown> } = {},
): Promise<Played> {
  const world = fakeWorld();
  world.env = { OPENCLAW_STATE_DIR: "/nowhere", HOME: "/nowhere" };
  const lines: Line[] = [];
  const log = createLogger({ subsystem: "whatsapp", sinks: [(line) => lines.push(line)], now: () => world.now() });
  const store = openStore({ path: ":memory:", migrations: channelMigrations, world, log });
  const library = new FakeLibrary();
  if (options.linked !== false) {
    await store.commit((tx) =>
      tx.run("INSERT INTO whatsapp_auth VALUES ('default', 'creds', '', ?)", encodeKey(linkedCreds)),
    );
  }
  const [settings] = whatsappAccounts({ channels: { whatsapp: options.channel ?? {} }, web: options.web });
  if (!settings) throw new Error("no account");
  const account = new WhatsAppAccount(
    {
      accountId: "default",
      account: () => settings,
      world,
      log,
      store,
      mediaDir: "/nowhere/media",
      sentPart: () => undefined,
      redact: () => {},
    },
    library,
    undefined,
  );
  return { world, store, library, account, lines, log };
}

/** Events that are only remembered. */
export function heard(): ConnectionEvents & { told: [string, unknown][] } {
  const told: [string, unknown][] = [];
  const note =
    (name: string) =>
    (value?: unknown): void =>
      void told.push([name, value]);
  return {
    told,
    receive: (batch) => {
      told.push(["receive", batch]);
      return Promise.resolve();
    },
    room: () => Promise.resolve(),
    cursor: () => undefined,
    stored: () => false,
    opened: note("opened"),
    loginCode: note("loginCode"),
    linked: note("linked"),
    activity: note("activity"),
    note: note("note"),
    confirmed: note("confirmed"),
  };
}

/** Lets everything that is due by now happen. */
export async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** An account whose connection is open, and what it told. */
export async function connected(on: Played) {
  const events = heard();
  const stop = new AbortController();
  const done = on.account.connect(events, stop.signal);
  await turns();
  on.library.last.events.open();
  return { events, stop, done, socket: on.library.last };
}
