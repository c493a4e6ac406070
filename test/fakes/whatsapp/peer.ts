/** One phone's Signal keys and sessions, in memory: what a contact (and the owner's own phone) encrypts and decrypts with. */
import { randomBytes } from "node:crypto";
import { Curve, generateRegistrationId, generateSignalPubKey, signedKeyPair } from "baileys";
import {
  GroupCipher,
  GroupSessionBuilder,
  SenderKeyDistributionMessage,
  SenderKeyName,
  SenderKeyRecord,
} from "baileys/lib/Signal/Group/index.js";
import type { SignalStorage } from "libsignal";
import { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } from "libsignal";
import type { KeyPair } from "./noise.ts";
import type { BinaryNode } from "./node.ts";
import { at, bytes, children, el, uint } from "./node.ts";

/** The public keys of one device, as servers hand them out. Keys carry no type byte. */
export interface Bundle {
  registrationId: number;
  identity: Uint8Array;
  signedPreKey: { id: number; value: Uint8Array; signature: Uint8Array };
  preKey?: { id: number; value: Uint8Array } | undefined;
}

const number = (value: number, size: number): Buffer => {
  const buffer = Buffer.alloc(size);
  buffer.writeUIntBE(value, 0, size);
  return buffer;
};

/** The children of a `user`, or of the `keys` of a retry receipt. */
export const bundleNodes = (bundle: Bundle): BinaryNode[] =>
  [
    el("type", {}, Buffer.from([5])),
    el("identity", {}, bundle.identity),
    bundle.preKey && keyNode("key", bundle.preKey.id, [el("value", {}, bundle.preKey.value)]),
    keyNode("skey", bundle.signedPreKey.id, [
      el("value", {}, bundle.signedPreKey.value),
      el("signature", {}, bundle.signedPreKey.signature),
    ]),
  ].filter((node) => node !== undefined);

export const registrationNode = (id: number): BinaryNode => el("registration", {}, number(id, 4));

const keyNode = (tag: string, id: number, rest: BinaryNode[]): BinaryNode =>
  el(tag, {}, [el("id", {}, number(id, 3)), ...rest]);

export function readKey(node: BinaryNode): { id: number; value: Buffer } {
  return { id: uint(at(node, "id")), value: bytes(at(node, "value")) };
}

/** Reads `identity`, `skey` and `key` below `node`; undefined when one of the first two is missing. */
export function readBundle(node: BinaryNode | undefined, registrationId: number): Bundle | undefined {
  const skey = at(node, "skey");
  const identity = bytes(at(node, "identity"));
  if (!skey || identity.length !== 32) return undefined;
  const key = children(node).find((child) => child.tag === "key");
  return {
    registrationId,
    identity,
    signedPreKey: { ...readKey(skey), signature: bytes(at(skey, "signature")) },
    ...(key && { preKey: readKey(key) }),
  };
}

export type Sealed = { type: "pkmsg" | "msg"; ciphertext: Uint8Array };

let peers = 0;

export class Peer {
  readonly identity: KeyPair = Curve.generateKeyPair();
  readonly registrationId = generateRegistrationId();
  private readonly signedPreKey = signedKeyPair(this.identity, 1);
  private readonly preKeys = new Map<number, KeyPair>();
  private nextPreKeyId = 1;
  /** libsignal queues by address in the whole process, so addresses of different peers must differ. */
  private readonly name = `peer${++peers}`;
  private readonly sessions = new Map<string, ReturnType<SessionRecord["serialize"]>>();
  private readonly senderKeys = new Map<string, Buffer>();

  private readonly storage: SignalStorage = {
    loadSession: async (id) => {
      const stored = this.sessions.get(id);
      return stored && SessionRecord.deserialize(stored);
    },
    storeSession: async (id, session) => void this.sessions.set(id, session.serialize()),
    isTrustedIdentity: () => true,
    loadPreKey: async (id) => {
      const pair = this.preKeys.get(Number(id));
      return pair && { pubKey: signalKey(pair.public), privKey: Buffer.from(pair.private) };
    },
    removePreKey: (id) => void this.preKeys.delete(id),
    loadSignedPreKey: () => ({
      pubKey: signalKey(this.signedPreKey.keyPair.public),
      privKey: Buffer.from(this.signedPreKey.keyPair.private),
    }),
    getOurRegistrationId: () => this.registrationId,
    getOurIdentity: () => ({ pubKey: signalKey(this.identity.public), privKey: Buffer.from(this.identity.private) }),
  };

  private readonly groups = {
    loadSenderKey: async (name: SenderKeyName) => {
      const stored = this.senderKeys.get(name.toString());
      return stored ? SenderKeyRecord.deserialize(stored) : new SenderKeyRecord();
    },
    storeSenderKey: async (name: SenderKeyName, record: SenderKeyRecord) =>
      void this.senderKeys.set(name.toString(), Buffer.from(JSON.stringify(record.serialize()))),
  };

  /** A bundle with a one-time key that was never given out before. */
  bundle(): Bundle {
    const id = this.nextPreKeyId++;
    const pair = Curve.generateKeyPair();
    this.preKeys.set(id, pair);
    return {
      registrationId: this.registrationId,
      identity: this.identity.public,
      signedPreKey: {
        id: this.signedPreKey.keyId,
        value: this.signedPreKey.keyPair.public,
        signature: this.signedPreKey.signature,
      },
      preKey: { id, value: pair.public },
    };
  }

  hasSession(device: number): boolean {
    return this.sessions.has(this.address(device).toString());
  }

  /** Starts a session with a device of the client; the next message to it is a `pkmsg`. */
  async open(device: number, bundle: Bundle): Promise<void> {
    await new SessionBuilder(this.storage, this.address(device)).initOutgoing({
      registrationId: bundle.registrationId,
      identityKey: signalKey(bundle.identity),
      signedPreKey: {
        keyId: bundle.signedPreKey.id,
        publicKey: signalKey(bundle.signedPreKey.value),
        signature: Buffer.from(bundle.signedPreKey.signature),
      },
      // libsignal reads an absent key as "no one-time key left"; its types do not know that.
      ...((bundle.preKey && {
        preKey: { keyId: bundle.preKey.id, publicKey: signalKey(bundle.preKey.value) },
      }) as { preKey: { keyId: number; publicKey: Uint8Array } }),
    });
  }

  /** Rejects when there is no session. */
  async encrypt(device: number, message: Uint8Array): Promise<Sealed> {
    const cipher = new SessionCipher(this.storage, this.address(device));
    const sealed = await cipher.encrypt(pad(message));
    return { type: sealed.type === 3 ? "pkmsg" : "msg", ciphertext: Buffer.from(sealed.body, "binary") };
  }

  /** Rejects when it cannot be read. */
  async decrypt(device: number, type: string, ciphertext: Uint8Array): Promise<Uint8Array> {
    const cipher = new SessionCipher(this.storage, this.address(device));
    const data = Buffer.from(ciphertext);
    return unpad(
      type === "pkmsg" ? await cipher.decryptPreKeyWhisperMessage(data) : await cipher.decryptWhisperMessage(data),
    );
  }

  /** What a device needs to read this phone's messages to a group. */
  async distribution(group: string): Promise<Uint8Array> {
    const made = await new GroupSessionBuilder(this.groups).create(this.own(group));
    return made.serialize();
  }

  /** `unknown`: with a key nobody was given. */
  async groupEncrypt(group: string, message: Uint8Array, unknown = false): Promise<Uint8Array> {
    const name = unknown ? new SenderKeyName(`${group} ${this.senderKeys.size}`, this.address(0)) : this.own(group);
    await new GroupSessionBuilder(this.groups).create(name);
    return new GroupCipher(this.groups, name).encrypt(pad(message));
  }

  async groupLearn(group: string, device: number, distribution: Uint8Array): Promise<void> {
    const message = new SenderKeyDistributionMessage(null, null, null, null, distribution);
    await new GroupSessionBuilder(this.groups).process(new SenderKeyName(group, this.address(device)), message);
  }

  async groupDecrypt(group: string, device: number, ciphertext: Uint8Array): Promise<Uint8Array> {
    return unpad(
      await new GroupCipher(this.groups, new SenderKeyName(group, this.address(device))).decrypt(ciphertext),
    );
  }

  private address(device: number): ProtocolAddress {
    return new ProtocolAddress(this.name, device);
  }

  /** Device 0 is the phone, which never is a device of the client. */
  private own(group: string): SenderKeyName {
    return new SenderKeyName(group, this.address(0));
  }
}

const signalKey = (key: Uint8Array): Buffer => Buffer.from(generateSignalPubKey(key));

/** 1 to 16 bytes, each of which is their number. */
function pad(message: Uint8Array): Buffer {
  const count = ((randomBytes(1)[0] ?? 0) & 15) + 1;
  return Buffer.concat([message, Buffer.alloc(count, count)]);
}

function unpad(message: Uint8Array): Uint8Array {
  const count = message.at(-1) ?? 0;
  if (count === 0 || count > message.length) throw new Error("The padding is wrong.");
  return message.subarray(0, message.length - count);
}
