import { generateSignalPubKey, proto } from "baileys";
import { verifySignature } from "libsignal/src/curve.js";
import { expect, test } from "vitest";
import { FrameReader, makeTrust } from "./noise.ts";

const verify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
  verifySignature(Buffer.from(generateSignalPubKey(key)), Buffer.from(message), Buffer.from(signature));

test("the certificate chain is signed by the root, the forged one is not", () => {
  const { rootKey, chain, forged } = makeTrust();
  for (const [bytes, genuine] of [
    [chain, true],
    [forged, false],
  ] as const) {
    const { intermediate, leaf } = proto.CertChain.decode(bytes);
    if (!intermediate?.details || !intermediate.signature || !leaf?.details || !leaf.signature)
      throw new Error("empty");
    const details = proto.CertChain.NoiseCertificate.Details.decode(intermediate.details);
    expect(details.issuerSerial).toBe(0);
    expect(verify(rootKey, intermediate.details, intermediate.signature)).toBe(genuine);
    expect(verify(details.key ?? new Uint8Array(), leaf.details, leaf.signature)).toBe(true);
  }
});

test("frames are cut wherever the network cuts the bytes, with and without routing info", () => {
  const header = Buffer.from([0x57, 0x41, 6, 3]);
  const routing = Buffer.concat([Buffer.from("ED"), Buffer.from([0, 1, 0, 0, 2]), Buffer.from("xy")]);
  const frames = Buffer.from([0, 0, 1, 7, 0, 0, 2, 8, 9]);
  for (const stream of [Buffer.concat([header, frames]), Buffer.concat([routing, header, frames])]) {
    const whole = new FrameReader().push(stream);
    expect(whole).toEqual([Buffer.from([7]), Buffer.from([8, 9])]);
    const reader = new FrameReader();
    expect([...stream].flatMap((byte) => reader.push(Buffer.from([byte])))).toEqual(whole);
  }
  expect(() => new FrameReader().push(Buffer.from("GET / HTTP/1.1"))).toThrow("The stream has no WhatsApp header.");
});
