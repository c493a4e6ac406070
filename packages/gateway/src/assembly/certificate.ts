/** A self-signed X.509 certificate, written in DER by hand: node:crypto signs but does not build certificates, and a tool from
 *  outside would have to be there. ECDSA on P-256, because browsers refuse Ed25519. */
import { generateKeyPairSync, sign } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

export interface CertificateOptions {
  commonName: string;
  /** Names and addresses the certificate is for. */
  names: readonly string[];
  /** ms since the epoch. */
  notBefore: number;
  notAfter: number;
  /** 16 random bytes. */
  serial: Buffer;
}

/** PEM texts. */
export interface CertificatePair {
  cert: string;
  key: string;
}

const tag = {
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One DER element: tag, definite length, content. */
function element(code: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([code, content.length]), content]);
  const length = Buffer.from(content.length.toString(16).padStart(content.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([code, 0x80 | length.length]), length, content]);
}

const sequence = (...parts: Buffer[]): Buffer => element(tag.sequence, ...parts);
const oid = (hex: string): Buffer => element(tag.oid, Buffer.from(hex, "hex"));
const bits = (content: Buffer): Buffer => element(tag.bits, Buffer.from([0]), content);

/** ecdsa-with-SHA256 */
const algorithm = sequence(oid("2a8648ce3d040302"));

/** Positive whatever its first bit, and without a leading zero byte that DER forbids. */
const serialNumber = (bytes: Buffer): Buffer => {
  const content = Buffer.from(bytes);
  content[0] = ((content[0] ?? 0) & 0x3f) | 0x40;
  return element(tag.integer, content);
};

/** Years up to 2049 have two digits, later ones four (RFC 5280 §4.1.2.5). */
function time(ms: number): Buffer {
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/u, "Z")
    .replace(/[-:T]/gu, "");
  const late = Number(digits.slice(0, 4)) >= 2050;
  return element(late ? tag.generalTime : tag.utcTime, Buffer.from(late ? digits : digits.slice(2), "latin1"));
}

const distinguishedName = (commonName: string): Buffer =>
  sequence(element(tag.set, sequence(oid("550403"), element(tag.utf8, Buffer.from(commonName.slice(0, 64), "utf8")))));

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => text.split(":").filter(Boolean);
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [
    ...groups(head),
    ...Array.from({ length: address.includes("::") ? missing : 0 }, () => "0"),
    ...groups(tail),
  ];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

const alternativeName = (name: string): Buffer =>
  isIPv4(name) || isIPv6(name) ? element(0x87, addressBytes(name)) : element(0x82, Buffer.from(name, "latin1"));

const extension = (id: string, content: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [Buffer.from([0x01, 0x01, 0xff])] : []), element(tag.octets, content));

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/gu) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** A new key and a certificate for it, good for TLS servers only. */
export function selfSigned(options: CertificateOptions): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = distinguishedName(options.commonName);
  const extensions = sequence(
    extension("551d13", sequence(), true), // basicConstraints: no authority
    extension("551d0f", element(tag.bits, Buffer.from([7, 0x80])), true), // keyUsage: digitalSignature
    extension("551d25", sequence(oid("2b06010505070301"))), // extKeyUsage: serverAuth
    extension("551d11", sequence(...options.names.map(alternativeName))), // subjectAltName
  );
  const body = sequence(
    element(0xa0, element(tag.integer, Buffer.from([2]))), // version 3
    serialNumber(options.serial),
    algorithm,
    name,
    sequence(time(options.notBefore), time(options.notAfter)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    element(0xa3, extensions),
  );
  const certificate = sequence(body, algorithm, bits(sign("sha256", body, privateKey)));
  return { cert: pem("CERTIFICATE", certificate), key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}
