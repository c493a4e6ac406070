/** A GET that follows redirects, each to a checked address (R-SEC-*): what web_fetch and files by URL have in common. */
import { checkUrl, type Resolver } from "./url-guard.ts";
import { getPinned, isRedirect, type WebAnswer } from "./web-client.ts";

export const defaultUserAgent = "Mozilla/5.0 (compatible; OpenClawGateway)";

export interface GuardedGet {
  resolve: Resolver;
  allowPrivateHosts: readonly string[];
  headers: Record<string, string>;
  signal: AbortSignal;
  maxBytes: number;
  maxRedirects: number;
}

/** Throws with a text for people when the address is refused or the answer is not a success. */
export async function getGuarded(start: URL, options: GuardedGet): Promise<{ answer: WebAnswer; url: URL }> {
  const { headers, signal, maxBytes, maxRedirects } = options;
  let url = start;
  for (let redirects = 0; ; redirects++) {
    const target = await checkUrl(url, options);
    signal.throwIfAborted();
    const answer = await getPinned(target, { headers, signal, maxBytes });
    const { location } = answer.headers;
    if (isRedirect(answer.status) && location !== undefined) {
      if (redirects >= maxRedirects) throw new Error(`${start.hostname} redirects more than ${maxRedirects} times`);
      const next = URL.parse(location, url.href);
      if (!next) throw new Error(`${url.hostname} redirects to something that is no URL`);
      url = next;
      continue;
    }
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${url.hostname} answers with HTTP status ${answer.status}`);
    return { answer, url };
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses the connection",
  ECONNRESET: "broke the connection",
  ENOTFOUND: "was not found",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  ETIMEDOUT: "does not answer",
  CERT_HAS_EXPIRED: "has an expired certificate",
  DEPTH_ZERO_SELF_SIGNED_CERT: "has a self-signed certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "has a certificate for another host",
};

/** An error of the network in words; anything else as it is. */
export function readableWebError(error: unknown, url: URL): unknown {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = (inner as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? error : new Error(`${url.hostname} ${reason}`, { cause: error });
}
