/** Which addresses web_fetch may connect to (agent.md §4.6, S11): only public ones. Names are resolved here, every address is
 *  checked, and the connection is then made to a checked address, so a resolver that changes its answer gains nothing. */
import { BlockList, isIP } from "node:net";

export interface Address {
  address: string;
  family: 4 | 6;
}
export type Resolver = (hostname: string) => Promise<readonly Address[]>;

export interface CheckedUrl {
  url: URL;
  /** The only addresses a connection may go to. */
  addresses: readonly Address[];
}

const maxUrlChars = 4_096;
const innerNames = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|onion)$/u;

const v4Ranges =
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4";
// Inside 2000::/3; everything outside it is refused anyway. Tunnels (6to4, Teredo) can point at inner addresses.
const v6Ranges = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20";

let innerRanges: BlockList | undefined;

/** Built at first use. */
function inner(): BlockList {
  if (innerRanges) return innerRanges;
  const list = new BlockList();
  for (const [ranges, family] of [
    [v4Ranges, "ipv4"],
    [v6Ranges, "ipv6"],
  ] as const) {
    for (const range of ranges.split(" ")) {
      const [network = "", bits = ""] = range.split("/");
      list.addSubnet(network, Number(bits), family);
    }
  }
  innerRanges = list;
  return list;
}

/** Whether an address is on the public internet. Anything that is not clearly so is not. */
export function isPublicAddress(address: string): boolean {
  if (address.includes("%")) return false;
  const family = isIP(address);
  if (family === 4) return !inner().check(address, "ipv4");
  if (family !== 6) return false;
  const groups = ipv6Groups(address);
  const [first = 0, second = 0] = groups;
  // NAT64 stands for the IPv4 address it carries.
  if (first === 0x64 && second === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) {
    const [high = 0, low = 0] = groups.slice(6);
    return isPublicAddress([high >> 8, high & 255, low >> 8, low & 255].join("."));
  }
  return first >= 0x2000 && first <= 0x3fff && !inner().check(address, "ipv6");
}

function ipv6Groups(address: string): number[] {
  // The URL parser writes every form in one way: hexadecimal, lower case, shortened.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
}

/** Parses `text` and finds the addresses it may be fetched from. Throws with a text for the model otherwise. */
export async function checkUrl(
  text: string | URL,
  options: { resolve: Resolver; allowPrivateHosts: readonly string[] },
): Promise<CheckedUrl> {
  const url = parseWebUrl(text);
  const hostname = bareHost(url);
  const allowed = isListed(url, hostname, options.allowPrivateHosts);
  if (!allowed && isIP(hostname) === 0 && (!hostname.includes(".") || innerNames.test(hostname))) throw refused(url);
  const family = isIP(hostname);
  const addresses: readonly Address[] =
    family === 4 || family === 6 ? [{ address: hostname, family }] : await resolved(hostname, options.resolve);
  if (!allowed && addresses.some(({ address }) => !isPublicAddress(address))) throw refused(url);
  return { url, addresses };
}

export function parseWebUrl(text: string | URL): URL {
  const given = String(text).trim();
  if (given.length > maxUrlChars) throw new Error(`the URL is longer than ${maxUrlChars} characters`);
  const url = URL.parse(given);
  if (!url) throw new Error("this is not a valid URL; it must begin with http:// or https://");
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error("only http and https URLs can be fetched");
  if (url.username !== "" || url.password !== "") throw new Error("URLs with a user name or password are not fetched");
  if (url.hostname === "") throw new Error("the URL has no host");
  return url;
}

/** Host without brackets and without the dot at the end that means the root. */
const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/gu, "").replace(/\.+$/u, "");

function isListed(url: URL, hostname: string, list: readonly string[]): boolean {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const names = new Set([hostname, url.hostname, `${hostname}:${port}`, `${url.hostname}:${port}`]);
  return list.some((entry) => names.has(entry.trim().toLowerCase()));
}

async function resolved(hostname: string, resolve: Resolver): Promise<readonly Address[]> {
  let addresses: readonly Address[];
  try {
    addresses = await resolve(hostname);
  } catch (error) {
    throw new Error(`the host ${hostname} was not found`, { cause: error });
  }
  if (addresses.length === 0) throw new Error(`the host ${hostname} has no address`);
  return addresses;
}

const refused = (url: URL): Error =>
  new Error(
    `${url.hostname} is, or resolves to, an address inside this machine or its network, and is not fetched. The owner can list it in tools.web.fetch.allowPrivateHosts.`,
  );
