/** One surface: its components, its data, and the elements that show them. */
import { content } from "./content.ts";
import { DataModel } from "./data-model.ts";
import { inputs } from "./inputs.ts";
import { layout } from "./layout.ts";
import { type Component, own, ownText, readComponent } from "./messages.ts";
import { safeColor, safeFont } from "./safe.ts";
import { element, type Make, type View } from "./view.ts";

const catalogue: Readonly<Record<string, Make>> = { ...layout, ...content, ...inputs };

const maxDepth = 60;
const maxElements = 5_000;
const maxComponents = 5_000;

export interface Acted {
  name: string;
  sourceComponentId: string;
  context: Record<string, unknown> | undefined;
}

export class Surface {
  readonly id: string;
  readonly host: HTMLElement;
  readonly #components = new Map<string, Component>();
  readonly #model = new DataModel();
  readonly #act: (acted: Acted) => void;
  #updates: (() => void)[] = [];
  #root: string | undefined;
  #elements = 0;
  #full = false;
  #outdated = false;

  constructor(id: string, act: (acted: Acted) => void) {
    this.id = id;
    this.#act = act;
    this.host = element("div", "surface");
    this.host.dataset["surface"] = id;
  }

  /** Nothing shows before it has begun. */
  get begun(): boolean {
    return this.#root !== undefined;
  }

  addComponents(list: unknown): void {
    for (const given of Array.isArray(list) ? list : []) {
      const component = readComponent(given);
      if (component && (this.#components.has(component.id) || this.#components.size < maxComponents))
        this.#components.set(component.id, component);
    }
  }

  updateData(path: string, contents: unknown): void {
    this.#model.update(path, contents);
  }

  begin(root: string, styles: unknown): void {
    this.#root = root;
    const font = safeFont(ownText(styles, "font") ?? "");
    const color = safeColor(ownText(styles, "primaryColor") ?? "");
    if (font) this.host.style.fontFamily = font;
    if (color) this.host.style.setProperty("--primary", color);
  }

  render(): void {
    if (this.#root === undefined) return;
    this.#updates = [];
    this.#elements = 0;
    this.#full = false;
    const made = this.#make(this.#root, "", []);
    this.host.replaceChildren(...(made ? [made] : []));
  }

  #changed(): void {
    this.#outdated = false;
    for (const update of this.#updates) update();
    if (this.#outdated) this.render();
  }

  #make(id: string, scope: string, trail: readonly string[]): HTMLElement | undefined {
    const component = this.#components.get(id);
    // It may still come.
    if (!component) return undefined;
    if (trail.length >= maxDepth || ++this.#elements > maxElements) return this.#tooMuch();
    if (trail.includes(id)) return placeholder(`${id} contains itself`);
    const make = Object.hasOwn(catalogue, component.type) ? catalogue[component.type] : undefined;
    if (!make) return placeholder(`unknown component ${component.type.slice(0, 60)}`);
    const made = make(component.props, this.#view(component, scope, [...trail, id]));
    made.dataset["component"] = id;
    if (component.weight !== undefined) {
      made.style.flexGrow = String(component.weight);
      made.style.flexBasis = "0";
      made.style.minWidth = "0";
    }
    return made;
  }

  /** Said once: a thousand marks would be as much as what they stand for. */
  #tooMuch(): HTMLElement | undefined {
    if (this.#full) return undefined;
    this.#full = true;
    return placeholder("too much to show");
  }

  #view(component: Component, scope: string, trail: readonly string[]): View {
    return {
      model: this.#model,
      scope,
      child: (id, inner = scope) => (typeof id === "string" ? this.#make(id, inner, trail) : undefined),
      bind: (update) => {
        this.#updates.push(update);
        update();
      },
      changed: () => this.#changed(),
      outdated: () => {
        this.#outdated = true;
      },
      act: (name, context) => this.#act({ name, sourceComponentId: component.id, context }),
    };
  }
}

const placeholder = (text: string): HTMLElement => {
  const box = element("span", "placeholder");
  box.textContent = text;
  return box;
};

export const surfaceIdOf = (body: unknown): string => ownText(body, "surfaceId") || "main";
export const rootOf = (body: unknown): string => String(own(body, "root") ?? "root");
