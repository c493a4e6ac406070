/** Where a client finds the canvas, as that client reaches this machine (canvas-browser-nodes.md §2.9). Pure. */
export interface CanvasUrlParts {
  /** What the gateway is bound to. */
  bindHost: string;
  /** `Host` header of the client's own connection. */
  hostHeader: string | undefined;
  /** Whether the client is on this machine. */
  peerIsLocal: boolean;
  port: number;
  secure: boolean;
}

const isLoopback = (name: string): boolean => name === "localhost" || name === "::1" || name.startsWith("127.");
const isAny = (name: string): boolean => name === "0.0.0.0" || name === "::" || name === "";

/** Without a slash at the end. Undefined when no name of this machine is known that the client could use. */
export function canvasUrl({ bindHost, hostHeader, peerIsLocal, port, secure }: CanvasUrlParts): string | undefined {
  const asked = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::\d{1,5})?$/i.exec(hostHeader?.trim() ?? "");
  const named = (asked?.[1] ?? asked?.[2])?.toLowerCase();
  const bound = isLoopback(bindHost) || isAny(bindHost) ? undefined : bindHost;
  const usable = named !== undefined && (peerIsLocal || !isLoopback(named)) ? named : undefined;
  const host = bound ?? usable;
  if (host === undefined) return undefined;
  return `${secure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
