/** What the page's address says: where the app is mounted, which view is meant, and what was handed over once in query or
 *  fragment (control-ui.md §1.2, §2.2). Pure: nothing here touches the browser. */

export interface Handover {
  token?: string;
  password?: string;
  session?: string;
  /** Not applied before the person agreed. */
  gatewayUrl?: string;
  onboarding: boolean;
  /** The address without what must not stay visible. */
  cleaned: string;
}

const onceOnly = ["token", "password", "gatewayUrl", "onboarding"];

/** Reads the parameters of query and fragment; the fragment counts more, since it is never sent to a server. */
export function readHandover(address: URL): Handover {
  const query = new URLSearchParams(address.search);
  const fragment = new URLSearchParams(address.hash.replace(/^#\/?\??/, ""));
  const read = (name: string): string | undefined => {
    const value = (fragment.get(name) ?? query.get(name))?.trim();
    return value ? value : undefined;
  };
  const gatewayUrl = read("gatewayUrl");
  const handover: Handover = { onboarding: read("onboarding") === "1", cleaned: "" };
  const token = read("token");
  const password = read("password");
  const session = read("session");
  if (token !== undefined) handover.token = token;
  if (password !== undefined) handover.password = password;
  if (session !== undefined) handover.session = session;
  if (gatewayUrl !== undefined && isGatewayUrl(gatewayUrl)) handover.gatewayUrl = gatewayUrl;
  for (const name of onceOnly) query.delete(name);
  const rest = query.toString();
  // The fragment carries nothing but what was handed over (settled.md 18).
  handover.cleaned = `${address.pathname}${rest === "" ? "" : `?${rest}`}`;
  return handover;
}

export function isGatewayUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return (protocol === "ws:" || protocol === "wss:") && host !== "";
}

/** The base path, `""` or `/x`: what the server says, else what stands before the longest known view path. */
export function basePathOf(pathname: string, injected: string | undefined, viewPaths: readonly string[]): string {
  if (injected !== undefined) return injected.replace(/\/+$/, "");
  const path = pathname.replace(/\/index\.html$/i, "/");
  const lower = path.toLowerCase();
  for (const view of viewPaths) {
    const at = lower.lastIndexOf(view);
    if (at !== -1 && (lower.length === at + view.length || lower[at + view.length] === "/")) return path.slice(0, at);
  }
  return path.replace(/\/+$/, "");
}

/** The gateway beside which the page is served. */
export function defaultGatewayUrl(page: { protocol: string; host: string }, basePath: string): string {
  return `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}${basePath === "" ? "/" : `${basePath}/`}`;
}
