/** Tailscale identity: who a request says it comes from, and whether the tailnet agrees (lifecycle.md §12.3, R-AUTH-6). The
 *  proxy of `tailscale serve` runs on this machine, so only loopback peers that carry its forwarding headers are listened to. */
import { isIP } from "node:net";
import { isLoopbackAddress, plainAddress, type Peer } from "./locality.ts";

/** Answers which login the tailnet knows an address by. */
export interface TailnetPort {
  /** Undefined when it cannot be told. Never rejects; bounded in time. */
  whois(address: string): Promise<string | undefined>;
}

export type TailnetReason =
  | "tailscale_user_missing"
  | "tailscale_proxy_missing"
  | "tailscale_whois_failed"
  | "tailscale_user_mismatch";

/** What the headers claim; nothing of it is believed before `judgeTailnet`. */
export type TailnetClaim =
  | { login: string; clientIp: string }
  | { missing: "tailscale_user_missing" | "tailscale_proxy_missing" };

const single = (value: string | string[] | undefined): string => (typeof value === "string" ? value.trim() : "");

/** Header names in lower case. */
export function tailnetClaim(peer: Peer): TailnetClaim {
  const { headers } = peer;
  const login = single(headers["tailscale-user-login"]);
  if (!login) return { missing: "tailscale_user_missing" };
  const clientIp = plainAddress(single(headers["x-forwarded-for"]));
  const forwarded = isIP(clientIp) !== 0 && single(headers["x-forwarded-proto"]) && single(headers["x-forwarded-host"]);
  // More than one hop means another proxy stands in between, and its word proves nothing.
  if (!forwarded || !isLoopbackAddress(plainAddress(peer.address))) return { missing: "tailscale_proxy_missing" };
  return { login, clientIp };
}

const plainLogin = (login: string): string => login.trim().toLowerCase();

/** Undefined when the tailnet confirms the claim. */
export async function judgeTailnet(claim: TailnetClaim, tailnet: TailnetPort): Promise<TailnetReason | undefined> {
  if ("missing" in claim) return claim.missing;
  const known = await tailnet.whois(claim.clientIp);
  if (!known) return "tailscale_whois_failed";
  return plainLogin(known) === plainLogin(claim.login) ? undefined : "tailscale_user_mismatch";
}
