/** Which credential a command presents, and where it comes from (R-AUTH-2). Of a token the first eight hex digits of its hash
 *  are shown, so that two sides can be compared; of a password only the source: it may be guessed from a hash. */
import { createHash } from "node:crypto";
import type { Options } from "./command.ts";
import type { Io } from "./io.ts";
import type { Target } from "./target.ts";

export interface AuthSource {
  kind: "token" | "password" | "device";
  /** A flag, a variable or a config key. */
  from: string;
  /** First eight hex digits of SHA-256; tokens only. */
  fingerprint?: string;
}

const fingerprint = (token: string): string => createHash("sha256").update(token).digest("hex").slice(0, 8);

function sourceOf(
  name: "token" | "password",
  { options, target, io }: { options: Options; target: Target; io: Io },
): string {
  if (options.has(name)) return `--${name}`;
  const remote = target.source === "config gateway.remote.url";
  const variables = [`OPENCLAW_GATEWAY_${name.toUpperCase()}`, `CLAWDBOT_GATEWAY_${name.toUpperCase()}`];
  const variable = remote && name === "token" ? undefined : variables.find((each) => io.env[each]);
  return variable ?? `config gateway.${remote ? "remote" : "auth"}.${name}`;
}

/** In the order in which the gateway looks at them: token, password, the key of this device. */
export function authSource(options: Options, target: Target, io: Io): AuthSource {
  const { token, password } = target.credentials;
  const where = { options, target, io };
  if (token) return { kind: "token", from: sourceOf("token", where), fingerprint: fingerprint(token) };
  if (password) return { kind: "password", from: sourceOf("password", where) };
  return { kind: "device", from: "identity/device.json" };
}

export function describeAuth({ kind, from, fingerprint: digits }: AuthSource): string {
  if (kind === "device") return `device key (${from})`;
  return `${kind} from ${from}${digits ? ` (sha256 ${digits}…)` : ""}`;
}
