/** The path of a request target, read from the raw text: a URL parser would take `//v1/models` for a host and an
 *  absolute-form target for another origin (http.md §1.5). */

/** Undefined for anything that is not a plain origin-form target. */
export function rawPath(target: string | undefined): string | undefined {
  if (!target || target[0] !== "/" || target[1] === "/" || target.includes("\\") || /[\u0000-\u0020#]/.test(target))
    return undefined;
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}
