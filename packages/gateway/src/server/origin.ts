/** Which `Host` and which `Origin` may reach the gateway: the defence against DNS rebinding and hostile pages
 *  (protocol.md §4.4, http.md §4.2, settled.md 4 and 5). */
import { isIP } from "node:net";
import { hostName, isLoopbackName } from "./locality.ts";

export interface OriginRules {
  allowedOrigins: readonly string[];
  dangerouslyAllowHostHeaderOriginFallback: boolean;
}

interface ParsedOrigin {
  /** `scheme://host[:port]`, lower case. */
  origin: string;
  host: string;
  name: string;
}

function parseOrigin(value: string | undefined): ParsedOrigin | undefined {
  if (!value || value === "null" || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (!url.host || url.origin === "null") return undefined;
  const name = hostName(url.host);
  return name === undefined ? undefined : { origin: url.origin.toLowerCase(), host: url.host.toLowerCase(), name };
}

/** Default ports are dropped from both sides by the URL parser, so `http://box` equals `Host: box:80`. */
function sameHost(origin: ParsedOrigin, host: string): boolean {
  if (origin.host === host.trim().toLowerCase()) return true;
  const other = parseOrigin(`${origin.origin.split("://")[0]}://${host}`);
  return other?.host === origin.host;
}

/** Whether a page of this origin may open the control socket. */
export function originAllowed(
  originHeader: string | undefined,
  hostHeader: string | undefined,
  rules: OriginRules,
): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/\/+$/, "");
  const listed = (text: string) => rules.allowedOrigins.some((allowed) => plain(allowed) === plain(text));
  const origin = parseOrigin(originHeader);
  // Apps and extensions have origins that are no address of the web; only their exact text can stand for them.
  if (!origin)
    return originHeader !== undefined && /^[a-z][a-z\d+.-]*:\/\//i.test(originHeader) && listed(originHeader);
  if (rules.allowedOrigins.includes("*") || listed(origin.origin)) return true;
  const name = hostName(hostHeader);
  if (name === undefined || hostHeader === undefined) return false;
  if (isLoopbackName(origin.name) && isLoopbackName(name)) return true;
  // A rebound DNS name satisfies "origin equals Host"; names nobody else can claim do not rebind.
  const claimable = !(isIP(name) !== 0 || isLoopbackName(name) || name.endsWith(".ts.net"));
  return sameHost(origin, hostHeader) && (!claimable || rules.dangerouslyAllowHostHeaderOriginFallback);
}

/** Two `Host` headers: whoever stood in between may have judged the other one. */
export const severalHosts = (headers: readonly string[] | undefined): boolean => (headers?.length ?? 0) > 1;

export type HostVerdict = "ok" | "missing" | "foreign";

/** The Host check of http.md §4.2. `loopbackBind`: nothing but loopback is listened on. `browser`: the request comes from a
 *  page (`Origin`) or asks for a surface meant for pages; only those are refused under an unknown name on a wider bind. */
export function judgeHost(
  hostHeader: string | undefined,
  bind: { loopbackBind: boolean; browser: boolean },
  rules: OriginRules,
): HostVerdict {
  const name = hostName(hostHeader);
  if (hostHeader === undefined || hostHeader === "") return "missing";
  if (name === undefined) return "foreign";
  if (isLoopbackName(name) || name.endsWith(".localhost") || name.endsWith(".ts.net")) return "ok";
  if (rules.allowedOrigins.some((allowed) => allowed === "*" || parseOrigin(allowed)?.name === name)) return "ok";
  if (bind.loopbackBind) return "foreign";
  if (isIP(name) !== 0 || !bind.browser || rules.dangerouslyAllowHostHeaderOriginFallback) return "ok";
  return "foreign";
}
