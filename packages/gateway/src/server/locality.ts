/** Who is at the other end of a socket: client address, local or remote (protocol.md §6.1, http.md §3.5, R-AUTH-6). */
import { BlockList, isIP } from "node:net";

/** What the decisions are made from; header names in lower case, as node:http gives them. */
export interface Peer {
  /** Address of the socket's other end; undefined when it is already gone. */
  address: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Location {
  /** The client's address without the `::ffff:` prefix; "unknown" when the socket is gone. */
  clientIp: string;
  /** All three conditions of protocol.md §6.1 hold. */
  local: boolean;
  /** Peer is loopback, Host is a loopback name, no forwarding header of any kind (http.md §3.5). */
  localDirect: boolean;
  /** Forwarding headers are present: the request came through a proxy, listed or not. */
  forwarded: boolean;
  /** Reported in presence: a non-loopback address that does not come from untrusted headers. */
  remoteIp?: string;
}

function header(peer: Peer, name: string): string | undefined {
  const value = peer.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

/** `::ffff:1.2.3.4` → `1.2.3.4`, brackets and zone removed, lower case. */
export function plainAddress(address: string | undefined): string {
  if (!address) return "unknown";
  const lower = address
    .trim()
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/%.*$/, "");
  return lower.startsWith("::ffff:") && isIP(lower.slice(7)) === 4 ? lower.slice(7) : lower;
}

export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/** Host name of a `Host` header or URL authority: lower case, without port and brackets. Undefined when it is not one. */
export function hostName(host: string | undefined): string | undefined {
  if (!host) return undefined;
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::\d{1,5})?$/i.exec(host.trim());
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

export function isLoopbackName(name: string): boolean {
  return name === "localhost" || isLoopbackAddress(name);
}

/** Whether `address` is one of `proxies`: exact addresses or CIDR blocks. An entry that is neither never matches. */
export function isTrustedProxy(address: string, proxies: readonly string[]): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  for (const entry of proxies) {
    const [network = "", bits] = entry.split("/");
    const base = plainAddress(network);
    if (bits === undefined) {
      if (base === address) return true;
      continue;
    }
    const prefix = Number(bits);
    if (isIP(base) !== family || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 4 ? 32 : 128))
      continue;
    const list = new BlockList();
    list.addSubnet(base, prefix, family === 4 ? "ipv4" : "ipv6");
    if (list.check(address, family === 4 ? "ipv4" : "ipv6")) return true;
  }
  return false;
}

/** The first address of `X-Forwarded-For` that no trusted proxy wrote about itself: read from the right, because everything
 *  left of the last untrusted hop is the client's own claim. */
function forwardedClient(value: string, proxies: readonly string[]): string | undefined {
  const hops = value.split(",").map(plainAddress);
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = hops[i] ?? "";
    if (isIP(hop) === 0) return undefined;
    if (i === 0 || !isTrustedProxy(hop, proxies)) return hop;
  }
  return undefined;
}

export function locate(peer: Peer, trustedProxies: readonly string[]): Location {
  const peerIp = plainAddress(peer.address);
  const trusted = isTrustedProxy(peerIp, trustedProxies);
  const forwardedFor = header(peer, "x-forwarded-for");
  const realIp = header(peer, "x-real-ip");
  let clientIp = peerIp;
  if (trusted) {
    const forwarded = forwardedFor ? forwardedClient(forwardedFor, trustedProxies) : undefined;
    const real = realIp && isIP(plainAddress(realIp)) ? plainAddress(realIp) : undefined;
    clientIp = forwarded ?? real ?? peerIp;
  }
  const anyForwarding =
    peer.headers["x-real-ip"] !== undefined ||
    peer.headers.forwarded !== undefined ||
    Object.keys(peer.headers).some((name) => name.startsWith("x-forwarded-"));
  const host = hostName(header(peer, "host"));
  const loopbackHost = host !== undefined && (host === "localhost" || host === "127.0.0.1" || host === "::1");
  const localHost = loopbackHost || (host?.endsWith(".ts.net") ?? false);
  const loopbackClient = isLoopbackAddress(clientIp);
  return {
    clientIp,
    // `Forwarded` and the rarer X-Forwarded-* tell of a proxy too, so they cost the trust as well.
    local: loopbackClient && localHost && (!anyForwarding || trusted),
    forwarded: anyForwarding,
    localDirect: isLoopbackAddress(peerIp) && loopbackHost && !anyForwarding,
    ...(!loopbackClient && clientIp !== "unknown" ? { remoteIp: clientIp } : {}),
  };
}
