/** Linking a client by QR code or by an eight-character code (channels.md §8.4). */
import { createHmac, randomBytes } from "node:crypto";
import {
  aesDecryptCTR,
  aesDecryptGCM,
  aesEncryptCTR,
  Curve,
  derivePairingCodeKey,
  generateSignalPubKey,
  hkdf,
  proto,
} from "baileys";
import { verifySignature } from "libsignal/src/curve.js";
import { Companion } from "./companion.ts";
import { streamError } from "./faults.ts";
import type { BinaryNode } from "./node.ts";
import { at, bytes, el, result, seconds, server } from "./node.ts";
import type { KeyPair } from "./noise.ts";
import type { Contact } from "./people.ts";
import type { Bundle } from "./peer.ts";
import type { Records } from "./record.ts";
import type { Session } from "./session.ts";

/** A client that waits to be linked. */
interface Candidate {
  session: Session;
  keys: Bundle;
  platform: string;
  refs: string[];
  code?: CodeExchange;
  /** Ends the wait of the person with the phone. */
  linked?: { resolve(companion: Companion): void; reject(error: Error): void };
  /** The device identity that was offered, until the client signed it. */
  offered?: { device: number; details: Uint8Array };
}

/** The client asked for a pairing code; it shows the code and we do not know it. */
interface CodeExchange {
  ref: Buffer;
  wrapped: Buffer;
  ephemeral?: KeyPair;
  companionEphemeral?: Buffer;
}

const accountPrefix = Buffer.from([6, 0]);
const devicePrefix = Buffer.from([6, 1]);
const askMs = 3_000;

export class Pairing {
  private readonly me: Contact;
  private readonly companions: Companion[];
  private readonly record: Records;
  private readonly refCount: number;
  private readonly candidates = new Set<Candidate>();
  private lastDevice = 0;

  constructor(options: { me: Contact; companions: Companion[]; record: Records; refs: number }) {
    this.me = options.me;
    this.companions = options.companions;
    this.record = options.record;
    this.refCount = options.refs;
  }

  /** A client without credentials: it gets refs to show. */
  register(session: Session, payload: proto.ClientPayload): void {
    const data = payload.devicePairingData;
    if (!data?.eIdent || !data.eRegid || !data.eSkeyId || !data.eSkeyVal || !data.eSkeySig) {
      return session.end(el("failure", { reason: 400 }));
    }
    const props = proto.DeviceProps.decode(data.deviceProps ?? new Uint8Array());
    const refs = Array.from({ length: this.refCount }, () => `2@${randomBytes(24).toString("base64url")}`);
    this.candidates.add({
      session,
      refs,
      platform: props.os ?? "",
      keys: {
        registrationId: Buffer.from(data.eRegid).readUInt32BE(),
        identity: data.eIdent,
        signedPreKey: {
          id: Buffer.from(data.eSkeyId).readUIntBE(0, 3),
          value: data.eSkeyVal,
          signature: data.eSkeySig,
        },
      },
    });
    session.connection.state = "registering";
    this.record.refs += refs.length;
    const content = refs.map((ref) => el("ref", {}, Buffer.from(ref)));
    session.send(
      el("iq", { type: "set", xmlns: "md", from: `@${server}`, id: `pair-${session.connection.number}` }, [
        el("pair-device", {}, content),
      ]),
    );
  }

  /** The connection of a candidate is gone. */
  gone(session: Session): void {
    const candidate = this.of(session);
    if (!candidate) return;
    this.candidates.delete(candidate);
    candidate.linked?.reject(new Error("The client closed its connection before the link was made."));
  }

  /** Throws when no open connection shows this code. */
  scan(qr: string): Promise<Companion> {
    const [ref = "", noiseKey = "", identity = "", secret = ""] = (qr.split("#")[1] ?? qr).split(",");
    const candidate = [...this.candidates].find((waiting) => waiting.refs.includes(ref));
    if (!candidate) throw new Error("No open connection shows this QR code.");
    const genuine =
      candidate.session.noiseKey.equals(Buffer.from(noiseKey, "base64")) &&
      Buffer.from(candidate.keys.identity).equals(Buffer.from(identity, "base64"));
    if (!genuine) throw new Error("The keys in the QR code are not those of the connection.");
    return this.link(candidate, Buffer.from(secret, "base64"));
  }

  /** The client wants to be linked by code. */
  companionHello(session: Session, query: BinaryNode): void {
    const candidate = this.of(session);
    const wrapped = bytes(at(query, "link_code_companion_reg", "link_code_pairing_wrapped_companion_ephemeral_pub"));
    if (!candidate || wrapped.length !== 80) return session.end(el("failure", { reason: 400 }));
    candidate.code = { ref: randomBytes(32), wrapped };
    const ref = el("link_code_pairing_ref", {}, candidate.code.ref);
    session.send(result(query, [el("link_code_companion_reg", { stage: "companion_hello" }, [ref])]));
    this.record.changed();
  }

  /** Waits a moment for a client that asks for a code; rejects when none does or when it shows another one. */
  async enterCode(code: string): Promise<Companion> {
    const { candidate, exchange } = await this.record.until(
      () => {
        const candidate = [...this.candidates].findLast((waiting) => waiting.code && !waiting.code.ephemeral);
        return candidate?.code && { candidate, exchange: candidate.code };
      },
      "a client that asks for a pairing code",
      askMs,
    );
    const typed = code.replace(/[^0-9A-Z]/giu, "").toUpperCase();
    exchange.companionEphemeral = await unwrap(exchange.wrapped, typed);
    exchange.ephemeral = Curve.generateKeyPair();
    const linked = this.wait(candidate);
    candidate.session.send(
      el(
        "notification",
        {
          type: "link_code_companion_reg",
          from: `@${server}`,
          id: `link-${candidate.session.connection.number}`,
          t: seconds(Date.now()),
        },
        [
          el("link_code_companion_reg", { stage: "primary_hello" }, [
            el("link_code_pairing_ref", {}, exchange.ref),
            el("primary_identity_pub", {}, this.me.peer.identity.public),
            el("link_code_pairing_wrapped_primary_ephemeral_pub", {}, await wrap(exchange.ephemeral.public, typed)),
          ]),
        ],
      ),
    );
    return linked;
  }

  companionFinish(session: Session, query: BinaryNode): void {
    const candidate = this.of(session);
    const exchange = candidate?.code;
    if (!candidate || !exchange?.ephemeral || !exchange.companionEphemeral) {
      return session.end(el("failure", { reason: 400 }));
    }
    const bundle = bytes(at(query, "link_code_companion_reg", "link_code_pairing_wrapped_key_bundle"));
    const shared = Curve.sharedKey(exchange.ephemeral.private, exchange.companionEphemeral);
    const key = hkdf(shared, 32, {
      salt: bundle.subarray(0, 32),
      info: "link_code_pairing_key_bundle_encryption_key",
    });
    let opened: Buffer;
    try {
      opened = aesDecryptGCM(bundle.subarray(44), key, bundle.subarray(32, 44), Buffer.alloc(0));
    } catch {
      candidate.linked?.reject(new Error("The code is not the one the client shows."));
      return session.end(el("failure", { reason: 401 }));
    }
    const identity = opened.subarray(0, 32);
    const random = opened.subarray(64, 96);
    session.send(result(query));
    const identities = Curve.sharedKey(this.me.peer.identity.private, identity);
    const secret = hkdf(Buffer.concat([shared, identities, random]), 32, { info: "adv_secret" });
    this.offer(candidate, Buffer.from(secret));
  }

  /** The client took the link and signed it: from now on it logs in with its own keys. */
  signed(session: Session, reply: BinaryNode): void {
    const candidate = this.of(session);
    const identity = proto.ADVSignedDeviceIdentity.decode(bytes(at(reply, "pair-device-sign", "device-identity")));
    if (!candidate?.offered) return;
    const message = Buffer.concat([
      devicePrefix,
      candidate.offered.details,
      candidate.keys.identity,
      this.me.peer.identity.public,
    ]);
    const key = Buffer.from(generateSignalPubKey(candidate.keys.identity));
    if (!verifySignature(key, message, Buffer.from(identity.deviceSignature ?? []))) {
      candidate.linked?.reject(new Error("The client's signature under the link is wrong."));
      return session.end(el("failure", { reason: 400 }));
    }
    const companion = new Companion(this.me, candidate.offered.device, {
      noiseKey: session.noiseKey,
      keys: candidate.keys,
      platform: candidate.platform,
    });
    this.companions.push(companion);
    this.candidates.delete(candidate);
    session.end(streamError({ code: 515 }));
    candidate.linked?.resolve(companion);
    this.record.changed();
  }

  private link(candidate: Candidate, secret: Buffer): Promise<Companion> {
    const linked = this.wait(candidate);
    this.offer(candidate, secret);
    return linked;
  }

  private wait(candidate: Candidate): Promise<Companion> {
    return new Promise((resolve, reject) => {
      candidate.linked = { resolve, reject };
    });
  }

  private offer(candidate: Candidate, secret: Buffer): void {
    const { identity } = this.me.peer;
    // Numbers are never used again, as at the real server.
    const device = ++this.lastDevice;
    const offered = proto.ADVDeviceIdentity.encode({
      rawId: 1,
      timestamp: Math.floor(Date.now() / 1000),
      keyIndex: device,
      accountType: 0,
      deviceType: 0,
    }).finish();
    candidate.offered = { device, details: offered };
    const message = Buffer.concat([accountPrefix, offered, candidate.keys.identity]);
    const details = proto.ADVSignedDeviceIdentity.encode({
      details: offered,
      accountSignatureKey: identity.public,
      accountSignature: Curve.sign(identity.private, message),
    }).finish();
    const hmac = createHmac("sha256", secret).update(details).digest();
    const content = proto.ADVSignedDeviceIdentityHMAC.encode({ details, hmac }).finish();
    const user = (jid: string) => jid.split("@")[0] ?? "";
    candidate.session.send(
      el("iq", { type: "set", xmlns: "md", from: `@${server}`, id: `linked-${device}`, t: seconds(Date.now()) }, [
        el("pair-success", {}, [
          el("device-identity", {}, content),
          el("device", {
            jid: `${user(this.me.pn)}:${device}@${server}`,
            lid: `${user(this.me.lid)}:${device}@lid`,
          }),
          el("platform", { name: "android" }),
        ]),
      ]),
    );
  }

  private of(session: Session): Candidate | undefined {
    return [...this.candidates].find((candidate) => candidate.session === session);
  }
}

/** salt 32 ‖ iv 16 ‖ AES-256-CTR under a key from the code. */
async function wrap(key: Uint8Array, code: string): Promise<Buffer> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  return Buffer.concat([salt, iv, aesEncryptCTR(key, await derivePairingCodeKey(code, salt), iv)]);
}

async function unwrap(wrapped: Buffer, code: string): Promise<Buffer> {
  const key = await derivePairingCodeKey(code, wrapped.subarray(0, 32));
  return aesDecryptCTR(wrapped.subarray(48, 80), key, wrapped.subarray(32, 48));
}
