/** What this adapter uses of the library: one socket, thinly wrapped, so that tests can play it (channels.md §8.7). A socket is
 *  used once; a new connection takes a new one. */
import type {
  AnyMessageContent,
  AuthenticationCreds,
  GroupMetadata,
  MiscMessageGenerationOptions,
  proto,
  WAMessage,
  WAMessageKey,
} from "baileys";
import type { World } from "../../../kernel/world.ts";
import type { LinkKeys } from "./link-keys.ts";

export type { AnyMessageContent, GroupMetadata, proto, WAMessage, WAMessageKey };
export type Creds = AuthenticationCreds;

/** What a socket tells while it lives. Calls come synchronously from the library and must not throw. */
export interface SocketEvents {
  /** A frame came in: the transport is alive. The node, when it was readable. */
  frame(node: { tag: string; attrs: Readonly<Record<string, string>> } | undefined): void;
  /** The library hands over an encrypted frame and takes it for sent. */
  send(frame: Uint8Array): void;
  /** A code for the phone's camera, valid until the next one. */
  qr(text: string): void;
  /** The phone accepted this device; the platform now wants a new connection. */
  paired(): void;
  open(): void;
  /** The socket ended, once. */
  closed(end: { status: number; message: string }): void;
  /** The credentials changed in place. */
  credsChanged(): void;
  /** A message was decrypted; the keys stood at `before`. It will emerge, or be given up. */
  decrypted(before: number): void;
  givenUp(): void;
  /** Whether the message with this platform id is stored. */
  stored(platformId: string): boolean;
  /** Messages as the library delivers them, before any of its buffers. */
  messages(messages: readonly WAMessage[], kind: "notify" | "append"): void;
  /** Delivery news of messages we sent. */
  receipts(updates: readonly { key: WAMessageKey; failed?: string }[]): void;
  /** Facts about groups changed. */
  groupsChanged(ids: readonly string[]): void;
}

export interface SocketOptions {
  world: World;
  events: SocketEvents;
  keys: LinkKeys;
  creds: Creds;
  /** Only tests name another server. */
  url: string | undefined;
  /** A message of ours that a device could not read (R-WA-5). */
  sentMessage: (key: WAMessageKey) => Promise<proto.IMessage | undefined>;
  /** What is known of a group; undefined makes the library ask. */
  group: (jid: string) => GroupMetadata | undefined;
  debug: (line: string) => void;
}

export interface SocketLike {
  readonly creds: Creds;
  sendMessage(
    jid: string,
    content: AnyMessageContent,
    options: MiscMessageGenerationOptions,
  ): Promise<WAMessage | undefined>;
  /** Puts a frame on the wire. */
  write(frame: Uint8Array): void;
  /** Marks as read; the platform's privacy setting decides who sees it. */
  readMessages(keys: WAMessageKey[]): Promise<void>;
  presence(kind: "available" | "composing" | "recording" | "paused", jid?: string): Promise<void>;
  groupMetadata(jid: string): Promise<GroupMetadata>;
  /** Number behind a local id, from what is stored; asks nobody. */
  pnOfLid(jid: string): Promise<string | undefined>;
  requestPairingCode(digits: string): Promise<string>;
  /** Tells the platform to forget this device. */
  logout(): Promise<void>;
  /** Asks the phone to upload a file again; the message then names where. */
  reupload(message: WAMessage): Promise<WAMessage>;
  /** Ends it; `closed` is not called any more. Resolves when the transport is gone, within a second. */
  end(): Promise<void>;
}

/** The library, behind the one file that loads it. */
export interface WhatsAppLibrary {
  newCreds(): Creds;
  /** Opens the transport at once. */
  open(options: SocketOptions): SocketLike;
  encodeMessage(message: proto.IMessage): Uint8Array;
  decodeMessage(bytes: Uint8Array): proto.IMessage;
}
