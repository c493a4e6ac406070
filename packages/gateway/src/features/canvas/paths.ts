/** Addresses of the canvas, the same on both ports (canvas-browser-nodes.md §2.2, §2.5). Pure. */
export const canvasPrefix = "/__openclaw__/canvas";
export const a2uiPrefix = "/__openclaw__/a2ui";
export const socketPath = "/__openclaw__/ws";
export const actionPath = "/__openclaw__/action";
const capability = /^\/__openclaw__\/cap\/([A-Za-z0-9_-]{1,128})(?=\/__openclaw__\/)/;

const maxPathChars = 4_096;

export interface Place {
  surface: "canvas" | "a2ui" | "socket" | "action" | "none";
  /** Of the capability in the path. */
  token?: string;
  /** What stands before the surface's own path: the capability, or nothing. */
  base: string;
  /** Below the prefix, still percent-encoded; begins with a slash, and is empty for the bare prefix. */
  rest: string;
}

export function placeOf(path: string): Place {
  const found = capability.exec(path);
  const base = found?.[0] ?? "";
  const inner = path.slice(base.length);
  const token = found?.[1] === undefined ? {} : { token: found[1] };
  if (inner === socketPath) return { surface: "socket", base, rest: "", ...token };
  if (inner === actionPath) return { surface: "action", base, rest: "", ...token };
  for (const [surface, prefix] of [
    ["canvas", canvasPrefix],
    ["a2ui", a2uiPrefix],
  ] as const) {
    if (inner === prefix || inner.startsWith(`${prefix}/`))
      return { surface, base, rest: inner.slice(prefix.length), ...token };
  }
  return { surface: "none", base, rest: inner, ...token };
}

/** Names on the way to a file below a folder. `bad`: no path at all; `hidden`: nothing that is served. A trailing slash leaves an
 *  empty last name. */
export function readSegments(rest: string): string[] | "bad" | "hidden" {
  if (rest.length > maxPathChars) return "hidden";
  let decoded: string;
  try {
    decoded = decodeURIComponent(rest);
  } catch {
    return "bad"; // A malformed escape.
  }
  if (/[\0\\]/.test(decoded)) return "bad";
  const segments = decoded.slice(1).split("/");
  if (segments.some((segment) => segment.startsWith("."))) return "hidden";
  if (segments.slice(0, -1).includes("")) return "hidden";
  return segments;
}
