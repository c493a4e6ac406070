/** What tests can do with the fake, in process and from outside: every method answers with a promise and every value is plain
 *  JSON (bytes are base64), so both are used alike. */

/** A person with WhatsApp on one phone. */
export interface Person {
  /** `<digits>@s.whatsapp.net` */
  pn: string;
  /** `<digits>@lid` */
  lid: string;
  /** E.164 */
  number: string;
  /** Push name. */
  name: string;
}

export interface StartOptions {
  port?: number;
  /** Number of the phone whose account the client is linked to. Default `+15550001000`. */
  number?: string;
  name?: string;
  /** QR refs handed out per registration; when they are used up the client gives up with 408. Default 6. */
  refs?: number;
  /** After each `open` of a newly linked client the phone sends a (recent, empty) history, as the real one does; without it
   *  Baileys holds events back for 20 s when it wants history. Default true. */
  history?: boolean;
  /** False tells the client that enough one-time keys of it are here: it makes none, which saves 0.1 s per link, and sessions
   *  with it begin without one. Default true: 812 are made and used up one by one. */
  preKeys?: boolean;
  /** Where the certificate of the media server is written for NODE_EXTRA_CA_CERTS. Default: a new folder under the system's. */
  folder?: string;
}

export interface SendOptions {
  /** Message id; a new one by default. */
  id?: string;
  /** JID of a group made with `createGroup`. */
  group?: string;
  /** The stanza names the sender by LID, with the number beside it. */
  lidAddressed?: boolean;
  /** With `lidAddressed`: the number is not told at all. */
  hideNumber?: boolean;
  /** Kept back until the next login, even when a client is connected. */
  offline?: boolean;
  /** Sent at, ms since the epoch; now by default. Whole seconds go over the wire. */
  at?: number;
  quoted?: { id: string; text?: string; /** JID of its author */ participant?: string };
  /** JIDs. */
  mentions?: string[];
  /** From "me": the chat it was typed in; the own number (self-chat) by default. */
  to?: string;
  /** The first copy cannot be decrypted; the client has to ask for another. */
  undecryptable?: boolean;
  /** Copies of the same stanza to write. */
  copies?: number;
  /** The content inside what only says how to show it. */
  wrap?: "ephemeral" | "viewOnce" | "viewOnceV2" | "documentWithCaption" | "edited";
  /** A status for everybody, instead of a message. */
  status?: boolean;
}

export type MediaKind = "image" | "video" | "audio" | "document" | "sticker";

export interface MediaOptions extends SendOptions {
  kind: MediaKind;
  /** Base64. */
  data: string;
  mimetype?: string;
  caption?: string;
  fileName?: string;
  /** A voice note. */
  ptt?: boolean;
  /** The file is gone from the media server: the download answers this status, until the client asks the phone for it. */
  gone?: number;
}

/** What the person with the phone, and the people who write to it, do. `from` is a number, PN, LID or name of a contact, or "me"
 *  for the phone itself. Ids of messages are returned. */
export interface Phone {
  /** Links the client that shows this code. Rejects when the code is unknown or its connection is gone. */
  scanQr(text: string): Promise<{ jid: string; lid: string }>;
  /** Types the eight characters the client shows. Resolves when the link is made; the client learns of it by 515. */
  enterPairingCode(code: string): Promise<{ jid: string; lid: string }>;
  /** Logs the client out, connected or not: stream error now or 401 at its next login. */
  removeDevice(): Promise<void>;
  me(): Promise<Person>;
  addContact(person: { pn: string; lid?: string; name?: string }): Promise<Person>;
  createGroup(group: { subject: string; members: string[]; addressing?: "pn" | "lid" }): Promise<string>;
  sendText(from: string, text: string, options?: SendOptions): Promise<string>;
  sendMedia(from: string, media: MediaOptions): Promise<string>;
  /** Empty emoji takes the reaction back. `fromMe`: the message reacted to was written by the client. */
  react(from: string, target: { id: string; fromMe?: boolean }, emoji: string, options?: SendOptions): Promise<string>;
  /** Any other content, as the JSON of a `proto.Message`. */
  sendMessage(from: string, message: Record<string, unknown>, options?: SendOptions): Promise<string>;
  /** `count` texts `<text> 1` … from one contact, as fast as they can be written. */
  burst(from: string, count: number, options?: SendOptions & { text?: string }): Promise<string[]>;
  /** A history sync as the phone sends it after linking. Must trigger nothing. */
  sendHistory(messages: { from: string; text: string; id?: string; at?: number }[]): Promise<void>;
  /** A contact received or read messages of the client. */
  receipt(from: string, ids: string[], type?: "delivery" | "read", group?: string): Promise<void>;
  /** A contact is typing, or not any more. */
  typing(from: string, on: boolean, group?: string): Promise<void>;
  /** Whether contacts acknowledge what they get (delivery receipts). Default true. */
  receipts(options: { delivery?: boolean; read?: boolean }): Promise<void>;
  /** Bytes of media the client sent, base64, decrypted. */
  media(messageId: string): Promise<string>;
}

/** Things that go wrong. What says "next" is used up; the rest holds until `clear`. `now` acts on every open connection. */
export interface Faults {
  clear(): Promise<void>;
  /** `failure{reason}`: at the next logins, or now. 401, 403, 405, 503 … become the client's status. */
  failure(reason: number, options?: { now?: boolean; times?: number }): Promise<void>;
  /** Stream error now: a code (515, 503, 500), a conflict (`replaced` → 440, `device_removed` → 401), or neither (500). */
  streamError(error?: { code?: number; conflict?: "replaced" | "device_removed" }): Promise<void>;
  /** What the client sees when the same account opens elsewhere (440). */
  kickReplaced(): Promise<void>;
  /** `xmlstreamend` now → 428. */
  streamEnd(): Promise<void>;
  /** `downgrade_webclient` now → 411. */
  downgrade(): Promise<void>;
  /** Resets the TCP connections now → 428. */
  dropTcp(): Promise<void>;
  /** Closes the WebSockets properly now → 428. */
  closeSocket(): Promise<void>;
  /** While on, open connections are reset and new ones fail as they are made → 408. */
  cutNetwork(on?: boolean): Promise<void>;
  /** The next logins are never answered, though pings are: no event at the client. */
  noSuccess(times?: number): Promise<void>;
  /** No server hello at the next connections → 408 after the client's connect timeout. */
  stallHandshake(times?: number): Promise<void>;
  /** The certificate chain of the next handshakes is not signed by the root. */
  badCertificate(times?: number): Promise<void>;
  /** Nothing is answered any more on open connections, pings included → 408 later. */
  silentPings(on?: boolean): Promise<void>;
  /** The next upgrades are answered with this status: no event at the client. */
  refuseUpgrade(status: number, times?: number): Promise<void>;
  /** Queries whose first child has this tag (or with this xmlns) are not answered. */
  muteQuery(name: string): Promise<void>;
  /** Acks of messages from the client come this late. */
  slowAcks(ms: number): Promise<void>;
  /** The next messages from the client are taken, but not acked. */
  dropAcks(times?: number): Promise<void>;
  /** The next messages from the client are acked with this error and not taken (463, 479). */
  refuseMessage(error: number, times?: number): Promise<void>;
  /** The connection is reset when the next message arrives: before it is taken, or after. */
  dropOnMessage(when: "before" | "after", times?: number): Promise<void>;
  /** Contacts cannot read the next messages and ask for them again (retry receipts). */
  peersCannotRead(times?: number): Promise<void>;
  /** The next receipts of the client never arrive: what they were for is delivered again at the next login. */
  loseReceipts(times?: number): Promise<void>;
  /** The next inbound messages are written twice. */
  duplicateInbound(times?: number): Promise<void>;
  /** The next `count` inbound messages are held and then written newest first. */
  reorderInbound(count: number): Promise<void>;
  /** Uploads and downloads of media answer with this status. */
  mediaStatus(status: number): Promise<void>;
}

/** A message the server took from a client, as its recipients could read it. */
export interface Outbound {
  id: string;
  /** JID the client addressed. */
  to: string;
  /** The same chat by number, where a LID was addressed. */
  chat: string;
  at: number;
  /** How often a message with this id arrived, without what contacts had asked to be sent again. Recipients show the first only. */
  times: number;
  /** Sent again because a contact asked. */
  retries: number;
  text?: string;
  media?: {
    kind: MediaKind;
    mimetype?: string;
    caption?: string;
    fileName?: string;
    ptt?: boolean;
    gifPlayback?: boolean;
    /** Of the file as a contact decrypts it. */
    sizeBytes: number;
    sha256: string;
  };
  poll?: { name: string; options: string[]; selectableCount: number };
  reaction?: { emoji: string; id: string };
  /** Id of the message that was edited or deleted. */
  edits?: string;
  deletes?: string;
  quotes?: string;
  mentions?: string[];
  /** Contacts who could decrypt it, and who could not. */
  readers: string[];
  unreadable: string[];
  /** The decrypted `proto.Message` as JSON. */
  message: Record<string, unknown>;
}

/** A message for the client. */
export interface Inbound {
  id: string;
  /** PN of its author. */
  from: string;
  /** Group JID, or the author's PN. */
  chat: string;
  text?: string;
  /** When the phone sent it, ms. */
  at: number;
  /** Stanzas written, copies and redeliveries included. */
  written: number;
  receipts: {
    /** `delivery`, `inactive`, `read`, `read-self`, `sender`, `peer_msg`, `hist_sync`, `retry`, `server-error` */ type: string;
    at: number;
  }[];
  /** Errors the client answered with: it gave the message up. */
  refusals: { error: string; at: number }[];
  /** The server may forget it: a receipt other than `retry` came. A refusal ends it as well, but does not acknowledge. */
  acknowledged: boolean;
  /** Still to be delivered at the next login. */
  pending: boolean;
}

export interface Connection {
  number: number;
  openedAt: number;
  closedAt?: number;
  /** How far it came. */
  state: "connected" | "registering" | "logged-in" | "active";
  /** Companion device number, once known. */
  device?: number;
  /** Version and browser the client told. */
  version?: string;
  passive?: boolean;
}

export interface Ledger {
  outbound: Outbound[];
  inbound: Inbound[];
  /** Messages of the client under a key that it had used for another one: it forgot a key in a crash. Empty, always. */
  keysReused: { id: string; contact: string }[];
  /** Presence and chat states the client sent, newest last. */
  presence: { type: string; to?: string; at: number }[];
  connections: Connection[];
  /** Linked clients. */
  companions: {
    device: number;
    jid: string;
    platform: string;
    preKeys: number;
    removed: boolean;
    /** Stanzas of every kind that it has not answered yet. */
    pending: number;
  }[];
  /** QR codes cannot be seen from the server; this counts the refs that were handed out. */
  refs: number;
  /** Queries of logged-in clients, as `<xmlns> <first child>`. */
  queries: Record<string, number>;
  /** Stanzas nothing is known about (a query among them was answered with an empty result), and failures of the fake itself.
   *  Empty in a test that goes well. */
  unknown: string[];
  uploads: number;
  downloads: number;
}

export interface FakeWhatsApp {
  /** For `waWebSocketUrl`: `ws://127.0.0.1:<port>/ws/chat`. */
  url: string;
  port: number;
  /** Takes the calls of `connect`; on a port of its own, which no fault touches. */
  controlUrl: string;
  /** `https://127.0.0.1:<port>`, where media go to and come from. */
  mediaUrl: string;
  /** Base64 of the root key: `WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(certKey, "base64")` before the socket is made. */
  certKey: string;
  /** PEM of the media server's certificate, and a file with it for NODE_EXTRA_CA_CERTS. */
  ca: string;
  caFile: string;
  phone: Phone;
  faults: Faults;
  /** A copy of what happened so far. */
  ledger(): Promise<Ledger>;
  /** The first value other than undefined and false that `check` finds in the ledger, now or within `timeoutMs` (10 s).
   *  Rejects with `what` it waited for. */
  until<T>(check: (ledger: Ledger) => T | undefined | false, what: string, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
}
