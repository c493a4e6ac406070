/** Which key a message of the client was encrypted with. Two different messages under one key mean that a client forgot, in a
 *  crash, a key it had used: its frames left before its keys were durable. */
import { createHash } from "node:crypto";
import { SenderKeyMessage } from "baileys/lib/Signal/Group/index.js";

/** Fields of a protobuf message: numbers, or bytes. Throws when it is none. */
function fields(data: Uint8Array): Map<number, number | Uint8Array> {
  const found = new Map<number, number | Uint8Array>();
  let offset = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = data[offset++];
      if (byte === undefined || scale > 2 ** 42) throw new Error("This is no protobuf.");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (offset < data.length) {
    const tag = varint();
    if ((tag & 7) === 0) {
      found.set(tag >> 3, varint());
    } else {
      const length = varint();
      found.set(tag >> 3, data.subarray(offset, offset + length));
      offset += length;
    }
  }
  return found;
}

const bytesOf = (value: number | Uint8Array | undefined): Uint8Array =>
  value instanceof Uint8Array ? value : new Uint8Array();

/** Name of the key, the same for every message under it. */
function keyName(type: string, ciphertext: Uint8Array): string {
  if (type === "skmsg") {
    const message = new SenderKeyMessage(null, null, null, null, ciphertext);
    return `group ${message.getKeyId()} ${message.getIteration()}`;
  }
  // A version byte before each; the message inside a first one is a whole message again.
  if (type === "pkmsg") return keyName("msg", bytesOf(fields(ciphertext.subarray(1)).get(4)));
  const macBytes = 8;
  const message = fields(ciphertext.subarray(1, -macBytes));
  return `${Buffer.from(bytesOf(message.get(1))).toString("base64")} ${String(message.get(2) ?? 0)}`;
}

export class MessageKeys {
  private readonly used = new Map<string, string>();

  /** Whether the key was used before for something else. */
  reused(contact: string, type: string, ciphertext: Uint8Array): boolean {
    const name = `${contact} ${keyName(type, ciphertext)}`;
    const digest = createHash("sha256").update(ciphertext).digest("base64");
    const before = this.used.get(name);
    this.used.set(name, digest);
    return before !== undefined && before !== digest;
  }
}
