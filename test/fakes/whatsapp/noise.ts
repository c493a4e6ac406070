/** The server's half of Noise_XX_25519_AESGCM_SHA256 as WhatsApp Web frames it (channels.md §8.3). */
import { aesDecryptGCM, aesEncryptGCM, Curve, hkdf, NOISE_MODE, NOISE_WA_HEADER, proto, sha256 } from "baileys";

export interface KeyPair {
  public: Uint8Array;
  private: Uint8Array;
}

const none = Buffer.alloc(0);
const dayMs = 86_400_000;

/** Where the client's trust begins: a root of our own, an intermediate and a leaf for the server's static key. */
export interface Trust {
  rootKey: Uint8Array;
  staticKey: KeyPair;
  chain: Uint8Array;
  /** The same, signed by somebody else. */
  forged: Uint8Array;
}

export function makeTrust(): Trust {
  const root = Curve.generateKeyPair();
  const stranger = Curve.generateKeyPair();
  const staticKey = Curve.generateKeyPair();
  return { rootKey: root.public, staticKey, chain: makeChain(root, staticKey), forged: makeChain(stranger, staticKey) };
}

function makeChain(root: KeyPair, staticKey: KeyPair): Uint8Array {
  const intermediate = Curve.generateKeyPair();
  const certify = (signer: KeyPair, key: KeyPair, serial: number, issuerSerial: number) => {
    const now = Date.now();
    const details = proto.CertChain.NoiseCertificate.Details.encode({
      serial,
      issuerSerial,
      key: key.public,
      notBefore: Math.floor((now - dayMs) / 1000),
      notAfter: Math.floor((now + 365 * dayMs) / 1000),
    }).finish();
    return { details, signature: Curve.sign(signer.private, details) };
  };
  return proto.CertChain.encode({
    intermediate: certify(root, intermediate, 1, 0),
    leaf: certify(intermediate, staticKey, 2, 1),
  }).finish();
}

function counterIv(counter: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

/** One connection's keys, from the first byte to the last. Every method throws when the other side is not genuine. */
export class NoiseServer {
  private hash: Buffer = Buffer.from(NOISE_MODE, "latin1");
  private salt: Uint8Array = this.hash;
  private key: Uint8Array = this.hash;
  private counter = 0;
  private readonly ephemeral: KeyPair = Curve.generateKeyPair();
  private transport: { read: Uint8Array; write: Uint8Array; reads: number; writes: number } | undefined;

  constructor() {
    this.absorb(NOISE_WA_HEADER);
  }

  get established(): boolean {
    return this.transport !== undefined;
  }

  /** Answers `clientHello` with `serverHello`. */
  hello(message: Uint8Array, staticKey: KeyPair, chain: Uint8Array): Uint8Array {
    const theirs = proto.HandshakeMessage.decode(message).clientHello?.ephemeral;
    if (!theirs) throw new Error("The first frame is no clientHello.");
    this.absorb(theirs);
    this.absorb(this.ephemeral.public);
    this.mix(Curve.sharedKey(this.ephemeral.private, theirs));
    const sealedStatic = this.seal(staticKey.public);
    this.mix(Curve.sharedKey(staticKey.private, theirs));
    const payload = this.seal(chain);
    const serverHello = { ephemeral: this.ephemeral.public, static: sealedStatic, payload };
    return proto.HandshakeMessage.encode({ serverHello }).finish();
  }

  /** Reads `clientFinish`: the client's static key and what it wants. From now on frames are stanzas. */
  finish(message: Uint8Array): { staticKey: Buffer; payload: proto.ClientPayload } {
    const finish = proto.HandshakeMessage.decode(message).clientFinish;
    if (!finish?.static || !finish.payload) throw new Error("The second frame is no clientFinish.");
    const staticKey = this.open(finish.static);
    this.mix(Curve.sharedKey(this.ephemeral.private, staticKey));
    const payload = proto.ClientPayload.decode(this.open(finish.payload));
    const [read, write] = this.expand(none);
    this.transport = { read, write, reads: 0, writes: 0 };
    return { staticKey, payload };
  }

  encrypt(plain: Uint8Array): Buffer {
    if (!this.transport) throw new Error("The handshake is not over.");
    return aesEncryptGCM(plain, this.transport.write, counterIv(this.transport.writes++), none);
  }

  decrypt(sealed: Uint8Array): Buffer {
    if (!this.transport) throw new Error("The handshake is not over.");
    return aesDecryptGCM(sealed, this.transport.read, counterIv(this.transport.reads++), none);
  }

  private absorb(data: Uint8Array): void {
    this.hash = sha256(Buffer.concat([this.hash, data]));
  }

  private expand(secret: Uint8Array): [Uint8Array, Uint8Array] {
    const output = hkdf(secret, 64, { salt: Buffer.from(this.salt), info: "" });
    return [output.subarray(0, 32), output.subarray(32)];
  }

  private mix(secret: Uint8Array): void {
    [this.salt, this.key] = this.expand(secret);
    this.counter = 0;
  }

  private seal(plain: Uint8Array): Buffer {
    const sealed = aesEncryptGCM(plain, this.key, counterIv(this.counter++), this.hash);
    this.absorb(sealed);
    return sealed;
  }

  private open(sealed: Uint8Array): Buffer {
    const plain = aesDecryptGCM(sealed, this.key, counterIv(this.counter++), this.hash);
    this.absorb(sealed);
    return plain;
  }
}

/** Cuts the byte stream of a client into frames: routing info, then the header, then three bytes of length each. */
export class FrameReader {
  private buffer: Buffer = none;
  private greeted = false;

  /** Throws when the stream does not begin as WhatsApp Web does. */
  push(chunk: Buffer): Buffer[] {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
    if (!this.greeted && !this.greet()) return [];
    const frames: Buffer[] = [];
    for (;;) {
      if (this.buffer.length < 3) return frames;
      const end = 3 + this.buffer.readUIntBE(0, 3);
      if (this.buffer.length < end) return frames;
      frames.push(this.buffer.subarray(3, end));
      this.buffer = this.buffer.subarray(end);
    }
  }

  private greet(): boolean {
    if (this.buffer.length < 7) return false;
    if (this.buffer.toString("latin1", 0, 2) === "ED") {
      const end = 7 + this.buffer.readUIntBE(4, 3);
      if (this.buffer.length < end + 4) return false;
      this.buffer = this.buffer.subarray(end);
    }
    if (!this.buffer.subarray(0, 4).equals(NOISE_WA_HEADER)) throw new Error("The stream has no WhatsApp header.");
    this.buffer = this.buffer.subarray(4);
    this.greeted = true;
    return true;
  }
}

export function frame(data: Uint8Array): Buffer {
  const head = Buffer.alloc(3);
  head.writeUIntBE(data.length, 0, 3);
  return Buffer.concat([head, data]);
}
