/** An account on the fake server, through the real library and a real store. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { globalAgent, request } from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { WA_CERT_DETAILS } from "baileys";
import { type FakeWhatsApp, start, type StartOptions } from "../../../../../../test/fakes/whatsapp/index.ts";
import { silentLogger, type Logger } from "../../../kernel/log.ts";
import { systemWorld, type World } from "../../../kernel/world.ts";
import { openStore, type SqliteStore } from "../../../store/index.ts";
import type { ChannelAccount, ConnectionEnd, LoginCode } from "../channel.ts";
import { channelMigrations } from "../channels.store.ts";
import type { InboundBatch, InboundMessage } from "../inbound.ts";
import type { OutboundPart } from "../outbound.ts";
import { WhatsAppAccount } from "./account.ts";
import { library } from "./library.ts";
import { quietConsole } from "./quiet-console.ts";
import { whatsappAccounts } from "./settings.ts";
import type { WhatsAppLibrary } from "./socket.ts";
import { testUrl } from "./test-url.ts";

export interface Wire {
  fake: FakeWhatsApp;
  store: SqliteStore;
  world: World;
  dir: string;
  mediaDir: string;
  account: ChannelAccount;
  /** Parts the outbox would know, by id. */
  parts: Map<string, OutboundPart>;
  /** Platform ids the inbox would hold. A kill leaves a set of its own. */
  rows: Set<string>;
  /** Another account object over the same store: a restarted process. */
  restarted(): ChannelAccount;
  /** Kills the process in the instant its `n`th frame from now has left: nothing of it leaves any more. `killed` gets an account
   *  over what is on disk then. */
  killAtFrame(n: number, killed: (account: ChannelAccount) => void): void;
  close(): Promise<void>;
}

export interface WireOptions {
  server?: StartOptions;
  channel?: Record<string, unknown>;
  log?: Logger;
  world?: World;
}

export async function openWire(options: WireOptions = {}): Promise<Wire> {
  const dir = mkdtempSync(join(tmpdir(), "whatsapp-wire-"));
  const fake = await start({ folder: dir, preKeys: false, ...options.server });
  const road = await openRoad(fake.port);
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(fake.certKey, "base64");
  // The library uploads through the agent everybody shares; the gateway fetches through its World.
  globalAgent.options.ca = fake.ca;
  const env = {
    OPENCLAW_TEST: "1",
    OPENCLAW_TEST_WHATSAPP_URL: fake.url.replace(`:${fake.port}/`, `:${road.port}/`),
    OPENCLAW_STATE_DIR: dir,
    HOME: dir,
  };
  const world = options.world ?? { ...systemWorld(env), fetch: fetchTrusting(fake.ca) };
  const log = options.log ?? silentLogger;
  const store = openStore({ path: join(dir, "openclaw.db"), migrations: channelMigrations, world, log });
  const mediaDir = join(dir, "media");
  mkdirSync(mediaDir);
  const [settings] = whatsappAccounts({ channels: { whatsapp: options.channel ?? { allowFrom: ["*"] } } });
  if (!settings) throw new Error("no account in the config");
  const parts = new Map<string, OutboundPart>();
  const images: SqliteStore[] = [];
  let current = store;
  let fuse: { left: number; killed: (account: ChannelAccount) => void } | undefined;
  const imageOfDisk = (): SqliteStore => {
    const path = join(dir, `image-${images.length}.db`);
    // Committed pages are in the file or its log; a kill leaves both.
    for (const suffix of ["", "-wal"]) {
      if (existsSync(current.path + suffix)) copyFileSync(current.path + suffix, path + suffix);
    }
    current = openStore({ path, migrations: channelMigrations, world, log });
    images.push(current);
    return current;
  };
  const mortal: WhatsAppLibrary = {
    ...library,
    open(socketOptions) {
      const socket = library.open(socketOptions);
      let dead = false;
      const write = (frame: Uint8Array) => {
        if (dead) return;
        const due = fuse && --fuse.left <= 0 ? fuse : undefined;
        const image = due && imageOfDisk();
        socket.write(frame);
        if (!due || !image) return;
        fuse = undefined;
        dead = true;
        made.rows = new Set(made.rows);
        due.killed(make(image));
        setTimeout(road.cutter(), 20);
      };
      return { ...socket, write };
    },
  };
  const make = (over = store): ChannelAccount =>
    new WhatsAppAccount(
      {
        accountId: "default",
        account: () => settings,
        world,
        log,
        store: over,
        mediaDir,
        sentPart: (_chatId, messageId) => parts.get(messageId),
        redact: () => {},
      },
      mortal,
      testUrl(env),
    );
  quietConsole(console, () => {});
  const made: Wire = {
    fake,
    store,
    world,
    dir,
    mediaDir,
    parts,
    rows: new Set(),
    account: make(),
    restarted: () => make(),
    killAtFrame: (left, killed) => void (fuse = { left, killed }),
    async close() {
      road.close();
      // Others in this process trust what the system trusts.
      if (globalAgent.options.ca === fake.ca) delete globalAgent.options.ca;
      await fake.close();
      for (const open of [store, ...images]) open.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return made;
}

/** `fetch` that trusts the media server's certificate. */
function fetchTrusting(ca: string): World["fetch"] {
  return (input, init) =>
    new Promise((resolve, reject) => {
      const signal = init?.signal ?? undefined;
      const asked = request(input.toString(), { ca, ...(signal ? { signal } : {}) }, (answer) => {
        const body = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
        resolve(new Response(body, { status: answer.statusCode ?? 500 }));
      });
      asked.on("error", reject);
      asked.end();
    });
}

/** The network between the two. `cutter` cuts the connections that are open when it is made. */
async function openRoad(to: number): Promise<{ port: number; cutter(): () => void; close(): void }> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, peer: Socket) => {
    sockets.add(socket);
    socket.on("data", (bytes) => peer.write(bytes));
    socket.on("close", () => {
      sockets.delete(socket);
      peer.destroy();
    });
    socket.on("error", () => socket.destroy());
  };
  const server = createServer((client) => {
    const there = connect(to, "127.0.0.1");
    keep(client, there);
    keep(there, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cutter = () => {
    const open = [...sockets];
    return () => open.forEach((socket) => socket.destroy());
  };
  return {
    port: (server.address() as AddressInfo).port,
    cutter,
    close: () => {
      cutter()();
      server.close();
    },
  };
}

/** One call of `connect`, and what it told. */
export class WireSession {
  readonly messages: InboundMessage[] = [];
  readonly batches: InboundBatch[] = [];
  readonly codes: LoginCode[] = [];
  readonly confirmed: string[] = [];
  readonly notes: Record<string, unknown> = {};
  self: { id: string; name?: string; e164?: string } | undefined;
  linked = false;
  activity = 0;
  end: ConnectionEnd | undefined;
  /** Called before a batch counts as stored. */
  store: (batch: InboundBatch) => Promise<void> = () => Promise.resolve();
  readonly ended: Promise<ConnectionEnd>;
  readonly #stop = new AbortController();

  constructor(account: ChannelAccount, login?: { phone?: string }, rows = new Set<string>()) {
    this.ended = account.connect(
      {
        receive: async (batch) => {
          await this.store(batch);
          this.batches.push(batch);
          this.messages.push(...batch.messages);
          for (const { platformId } of batch.messages) rows.add(platformId);
        },
        room: () => Promise.resolve(),
        cursor: () => undefined,
        stored: (_ownId, platformId) => rows.has(platformId),
        opened: (self) => (this.self = self),
        loginCode: (code) => void this.codes.push(code),
        linked: () => (this.linked = true),
        activity: () => this.activity++,
        note: (facts) => Object.assign(this.notes, facts),
        confirmed: (id) => void this.confirmed.push(id),
      },
      this.#stop.signal,
      login ? { login } : undefined,
    );
    void this.ended.then((end) => (this.end = end));
  }

  async close(): Promise<ConnectionEnd> {
    this.#stop.abort();
    return this.ended;
  }
}

export async function until(what: string, met: () => boolean, timeoutMs = 8_000): Promise<void> {
  const began = performance.now();
  while (!met()) {
    if (performance.now() - began > timeoutMs) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Links by camera, as a person would; afterwards the account may be connected. */
export async function link({ account, fake }: Wire): Promise<void> {
  const session = new WireSession(account, {});
  await until("a code", () => session.codes.length > 0 || session.end !== undefined);
  const [code] = session.codes;
  if (code?.kind !== "qr") throw new Error(`no code: ${JSON.stringify(session.end)}`);
  await fake.phone.scanQr(code.text);
  const end = await session.ended;
  if (end.kind !== "again") throw new Error(`unexpected end of the login: ${JSON.stringify(end)}`);
}

/** Linked and open. */
export async function opened(wire: Wire, account = wire.account): Promise<WireSession> {
  const session = new WireSession(account, undefined, wire.rows);
  await until("the connection opens", () => session.self !== undefined || session.end !== undefined);
  if (session.end) throw new Error(`it ended: ${JSON.stringify(session.end)}`);
  return session;
}

/** A contact of the account. */
export const ann = (on: Wire) => on.fake.phone.addContact({ pn: "+4915112345678", name: "Ann" });
export const texts = (session: WireSession): string[] => session.messages.map((message) => message.text);
export const say = (chatId: string, text: string): OutboundPart => ({
  target: { chatId, kind: chatId.endsWith("@g.us") ? "group" : "direct" },
  content: { type: "text", body: { text, plain: text } },
});
/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal;

/** Wires and sessions of a test, closed by `close`. */
export function wireBox() {
  const wires: Wire[] = [];
  const sessions: WireSession[] = [];
  const wire = async (options?: WireOptions): Promise<Wire> => {
    const made = await openWire(options);
    wires.push(made);
    return made;
  };
  return {
    wire,
    async linked(options?: WireOptions): Promise<Wire> {
      const made = await wire(options);
      await link(made);
      return made;
    },
    async open(on: Wire, account = on.account): Promise<WireSession> {
      const session = await opened(on, account);
      sessions.push(session);
      return session;
    },
    async close(): Promise<void> {
      for (const session of sessions.splice(0)) await session.close();
      for (const one of wires.splice(0)) await one.close();
    },
  };
}
