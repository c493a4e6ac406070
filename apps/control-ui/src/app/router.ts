/** Addresses of the app: one path per view below the base path, by history.pushState. Back, Forward, reload, middle click and
 *  sharing all work because every place is a real link. */
import { computed, signal, type ReadonlySignal } from "@preact/signals";

export interface Place {
  /** Lower case, without base path and trailing slash: `/chat`. */
  path: string;
  /** Decoded segments below the view's path: the session key of `/chat/agent:main:main`. */
  rest: string;
  query: URLSearchParams;
}

export class Router {
  readonly basePath: string;
  readonly #known: readonly string[];
  readonly #fallback: string;
  readonly #place: ReturnType<typeof signal<Place>>;
  /** Asked before a place is left; false keeps the person where they are. */
  #guard: ((href: string) => boolean) | undefined;

  constructor(options: { basePath: string; paths: readonly string[]; fallback: string }) {
    this.basePath = options.basePath;
    this.#known = options.paths;
    this.#fallback = options.fallback;
    this.#place = signal<Place>(this.#read());
    addEventListener("popstate", () => (this.#place.value = this.#read()));
    const { path } = this.current;
    const here = location.pathname.slice(this.basePath.length).replace(/\/+$/, "").toLowerCase();
    if (!here.startsWith(path)) history.replaceState(null, "", this.href(path) + location.search);
  }

  get place(): ReadonlySignal<Place> {
    return this.#place as ReadonlySignal<Place>;
  }

  get current(): Place {
    return (this.#place as ReadonlySignal<Place>).value;
  }

  /** `query` values that are undefined are left out. */
  href(path: string, rest = "", query: Readonly<Record<string, string | undefined>> = {}): string {
    const entries = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const search = entries.length === 0 ? "" : `?${new URLSearchParams(entries)}`;
    return `${this.basePath}${path}${rest === "" ? "" : `/${encodeRest(rest)}`}${search}`;
  }

  go(href: string, options: { replace?: boolean } = {}): void {
    if (this.#guard && !this.#guard(href)) return;
    if (options.replace === true) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
    this.#place.value = this.#read();
  }

  /** Registers the question to ask before going to an address; returns what takes it back. */
  guard(ask: (href: string) => boolean): () => void {
    this.#guard = ask;
    return () => {
      if (this.#guard === ask) this.#guard = undefined;
    };
  }

  /** Whether the click means "go here in this tab": then it was taken care of. */
  follow(event: MouseEvent, href: string): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.go(href);
  }

  /** Whether a view stands at this path now. */
  at(path: string): ReadonlySignal<boolean> {
    return computed(() => this.current.path === path);
  }

  #read(): Place {
    return parsePlace(
      location.pathname.slice(this.basePath.length),
      new URLSearchParams(location.search),
      this.#known,
      this.#fallback,
    );
  }
}

/** Session keys hold colons and slashes may appear in them: colons stay readable, everything else is encoded. */
export const encodeRest = (rest: string): string => encodeURIComponent(rest).replaceAll("%3A", ":");

export function parsePlace(
  pathname: string,
  query: URLSearchParams,
  known: readonly string[],
  fallback: string,
): Place {
  const lower = pathname.toLowerCase().replace(/\/+$/, "");
  for (const path of known) {
    if (lower !== path && !lower.startsWith(`${path}/`)) continue;
    const rest = pathname.slice(path.length).replace(/^\/+|\/+$/g, "");
    return { path, rest: decode(rest), query };
  }
  return { path: fallback, rest: "", query };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % typed by hand.
  }
}
