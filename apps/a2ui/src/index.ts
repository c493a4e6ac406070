/** The page that shows A2UI v0.8: an app around it pushes messages, a person presses buttons (canvas-browser-nodes.md §4). Owns the
 *  element `openclaw-a2ui-host` and the page's `openclawA2UI`. Whatever a document says, no text of it becomes markup, no address
 *  but https and data pictures is fetched, and nothing but a press of a button is told to anybody. */
import { isObject, own, ownText } from "./messages.ts";
import { style } from "./style.ts";
import { type Acted, rootOf, Surface, surfaceIdOf } from "./surface.ts";
import { element } from "./view.ts";

const newer = ["createSurface", "updateComponents", "updateDataModel"];
const maxSurfaces = 50;
const toastMs = 6_000;

interface Page extends Window {
  openclawA2UI?: {
    applyMessages(messages: unknown): { ok: true; surfaces: string[] };
    reset(): { ok: true };
    getSurfaces(): string[];
  };
  /** For whoever looks for what went wrong. */
  openclawLastA2UIAction?: unknown;
  OpenClaw?: { sendUserAction?(action: unknown): boolean };
}

class A2uiHost extends HTMLElement {
  readonly #surfaces = new Map<string, Surface>();
  /** In order of their first beginRendering. */
  readonly #order: string[] = [];
  readonly #stage = element("main", "stage");
  readonly #status = element("div", "status");
  readonly #toast = element("div", "toast");
  #pending: { id: string; name: string } | undefined;

  connectedCallback(): void {
    const sheet = document.createElement("style");
    sheet.textContent = style;
    this.#status.setAttribute("role", "status");
    this.#toast.setAttribute("role", "alert");
    this.#status.hidden = this.#toast.hidden = true;
    this.replaceChildren(sheet, this.#stage, this.#status, this.#toast);
    const platform = new URLSearchParams(location.search).get("platform") ?? "";
    if (/^(?:ios|android|macos)$/.test(platform)) document.documentElement.dataset["platform"] = platform;
    addEventListener("openclaw:a2ui-action-status", (event) => this.#answered((event as CustomEvent<unknown>).detail));
    const page = window as Page;
    page.openclawA2UI = {
      applyMessages: (messages) => this.#apply(messages),
      reset: () => this.#reset(),
      getSurfaces: () => [...this.#order],
    };
    this.#show();
  }

  #apply(messages: unknown): { ok: true; surfaces: string[] } {
    if (!Array.isArray(messages)) throw new TypeError("messages must be a list");
    const later = messages.some((message) => isObject(message) && newer.some((key) => Object.hasOwn(message, key)));
    if (later) throw new Error("A2UI v0.9 is not supported; send v0.8");
    const touched = new Set<Surface>();
    for (const message of messages) this.#take(message, touched);
    for (const surface of touched) surface.render();
    this.#tell(undefined);
    this.#show();
    return { ok: true, surfaces: [...this.#order] };
  }

  #take(message: unknown, touched: Set<Surface>): void {
    const deleted = own(message, "deleteSurface");
    if (deleted !== undefined) {
      const id = surfaceIdOf(deleted);
      const gone = this.#surfaces.get(id);
      if (gone) touched.delete(gone);
      this.#surfaces.delete(id);
      const at = this.#order.indexOf(id);
      if (at >= 0) this.#order.splice(at, 1);
      return;
    }
    const components = own(message, "surfaceUpdate");
    const data = own(message, "dataModelUpdate");
    const begin = own(message, "beginRendering");
    const body = components ?? data ?? begin;
    const surface = body === undefined ? undefined : this.#surface(surfaceIdOf(body));
    if (!surface) return;
    if (components !== undefined) surface.addComponents(own(components, "components"));
    else if (data !== undefined) surface.updateData(ownText(data, "path") ?? "/", own(data, "contents"));
    else {
      surface.begin(rootOf(begin), own(begin, "styles"));
      if (!this.#order.includes(surface.id)) this.#order.push(surface.id);
    }
    touched.add(surface);
  }

  #surface(id: string): Surface | undefined {
    let surface = this.#surfaces.get(id);
    if (!surface && this.#surfaces.size < maxSurfaces) {
      surface = new Surface(id, (acted) => this.#act(id, acted));
      this.#surfaces.set(id, surface);
    }
    return surface;
  }

  #reset(): { ok: true } {
    this.#surfaces.clear();
    this.#order.length = 0;
    this.#tell(undefined);
    this.#show();
    return { ok: true };
  }

  #show(): void {
    const hosts = this.#order.flatMap((id) => this.#surfaces.get(id)?.host ?? []);
    if (hosts.length > 0) {
      // What is there stays in its place: moving it would lose the focus.
      const same =
        hosts.length === this.#stage.children.length && hosts.every((one, at) => this.#stage.children[at] === one);
      if (!same) this.#stage.replaceChildren(...hosts);
      return;
    }
    const empty = element("p", "empty");
    empty.textContent = "Waiting for messages.";
    this.#stage.replaceChildren(empty);
  }

  #act(surfaceId: string, { name, sourceComponentId, context }: Acted): void {
    const page = window as Page;
    const action = {
      id: newId(),
      name,
      surfaceId,
      sourceComponentId,
      timestamp: new Date().toISOString(),
      ...(context ? { context } : {}),
    };
    page.openclawLastA2UIAction = action;
    this.#pending = { id: action.id, name };
    this.#tell(`Sending: ${name}`);
    if (page.OpenClaw?.sendUserAction?.(action) !== true) this.#failed(name, "missing native bridge");
  }

  #answered(detail: unknown): void {
    const pending = this.#pending;
    if (!pending || own(detail, "id") !== pending.id) return;
    if (own(detail, "ok") === true) this.#tell(`Working: ${pending.name}`);
    else this.#failed(pending.name, ownText(detail, "error") ?? "no reason given");
  }

  #failed(name: string, reason: string): void {
    this.#tell(`Failed: ${name}`);
    this.#toast.textContent = `${name}: ${reason}`.slice(0, 300);
    this.#toast.hidden = false;
    setTimeout(() => (this.#toast.hidden = true), toastMs);
  }

  #tell(text: string | undefined): void {
    this.#status.textContent = text ?? "";
    this.#status.hidden = text === undefined;
  }
}

/** Pages that are not served securely have no randomUUID. */
const newId = (): string =>
  crypto.randomUUID?.() ??
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

customElements.define("openclaw-a2ui-host", A2uiHost);
