/** The certificate of the port (lifecycle.md §2.3 step 7): the configured pair, or one made here and kept in the state directory. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expandHome } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import type { GatewayConfig } from "../server/gateway.config.ts";
import { selfSigned } from "./certificate.ts";
import { StartRefused } from "./startup-checks.ts";

export interface TlsMaterial {
  /** PEM texts. */
  cert: string;
  key: string;
  ca?: string;
  /** SHA-256 of the certificate, upper-case hex with colons: what clients pin. */
  fingerprint: string;
}

type Outside = Pick<World, "now" | "hostname" | "homedir" | "randomBytes">;

/** Pins are kept by hand on other machines, so the pair outlives them by far. */
const validMs = 10 * 365 * 86_400_000;

/** Undefined when TLS is off. Throws StartRefused naming the file and what to do. */
export function loadTls(config: GatewayConfig["tls"], state: string, world: Outside): TlsMaterial | undefined {
  if (!config.enabled) return undefined;
  if ((config.certPath === undefined) !== (config.keyPath === undefined)) {
    const missing = config.certPath === undefined ? "certPath" : "keyPath";
    throw new StartRefused(
      `gateway.tls.${missing} is not set. Set both gateway.tls.certPath and gateway.tls.keyPath, or neither.`,
    );
  }
  const folder = join(state, "gateway", "tls");
  const own = config.certPath === undefined;
  const certPath = expandHome(config.certPath ?? join(folder, "gateway-cert.pem"), world);
  const keyPath = expandHome(config.keyPath ?? join(folder, "gateway-key.pem"), world);
  if (own && config.autoGenerate && (read(certPath) === undefined || read(keyPath) === undefined))
    generate(folder, certPath, keyPath, world);
  const cert = need(certPath, "gateway.tls.certPath", own);
  const key = need(keyPath, "gateway.tls.keyPath", own);
  const ca =
    config.caPath === undefined ? undefined : need(expandHome(config.caPath, world), "gateway.tls.caPath", false);
  return { cert, key, ...(ca === undefined ? {} : { ca }), fingerprint: judge(cert, key, certPath, keyPath, world) };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new StartRefused(
      `TLS is on, but ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"}). Make it readable for this user.`,
    );
  }
}

function need(path: string, key: string, own: boolean): string {
  const text = read(path);
  if (text !== undefined) return text;
  const next = own ? "Set gateway.tls.autoGenerate to true" : `Correct ${key}`;
  throw new StartRefused(`TLS is on, but ${path} does not exist. ${next}, or turn gateway.tls.enabled off.`);
}

/** The fingerprint, once certificate and key are known to be a usable pair. */
function judge(cert: string, key: string, certPath: string, keyPath: string, world: Pick<World, "now">): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    throw new StartRefused(`${certPath} is not a PEM certificate. Replace it, or remove it to have a new one made.`);
  }
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new StartRefused(`${keyPath} is not a PEM private key without a passphrase. Replace it.`);
  }
  if (!fits)
    throw new StartRefused(`The key ${keyPath} does not belong to the certificate ${certPath}. Replace one of them.`);
  if (certificate.validToDate.getTime() < world.now()) {
    throw new StartRefused(
      `The TLS certificate ${certPath} expired on ${certificate.validTo}. Renew it, or remove it and its key to have a new pair made.`,
    );
  }
  return certificate.fingerprint256;
}

function generate(folder: string, certPath: string, keyPath: string, world: Outside): void {
  const hostname = world.hostname();
  const names = [
    "localhost",
    ...(/^[a-z0-9.-]{1,253}$/iu.test(hostname) && hostname !== "localhost" ? [hostname] : []),
    "127.0.0.1",
    "::1",
  ];
  const now = world.now();
  // An hour of tolerance for clients whose clock is late.
  const pair = selfSigned({
    commonName: "OpenClaw Gateway",
    names,
    notBefore: now - 3_600_000,
    notAfter: now + validMs,
    serial: world.randomBytes(16),
  });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The old half goes first: a crash in between leaves an incomplete pair, which is made anew, never one that does not fit.
  rmSync(certPath, { force: true });
  for (const [path, text] of [
    [keyPath, pair.key],
    [certPath, pair.cert],
  ] as const) {
    const temporary = `${path}.tmp`;
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx", flush: true });
    renameSync(temporary, path);
  }
}
