/** What a component's view works with while a surface is rendered. */
import { absolute, type DataModel, type Value } from "./data-model.ts";
import { isObject, own, ownText, type Props } from "./messages.ts";

export interface View {
  readonly model: DataModel;
  /** Path of the template's item; empty outside of one. */
  readonly scope: string;
  /** The element of another component, or undefined while it has not arrived. */
  child(id: unknown, scope?: string): HTMLElement | undefined;
  /** Runs now and after every change of the data. */
  bind(update: () => void): void;
  /** The person changed something: tell everything that shows it. */
  changed(): void;
  /** Other elements are to be shown than before: render the surface anew. */
  outdated(): void;
  act(name: string, context: Record<string, unknown> | undefined): void;
}

export type Make = (props: Props, view: View) => HTMLElement;

/** Of a bound value: a literal, a path, or both, where the literal is what the path begins with. */
export function valueOf(bound: unknown, view: View): Value {
  const path = pathOf(bound, view);
  const literal = literalOf(bound);
  if (path === undefined) return literal;
  const there = view.model.get(path);
  if (there === undefined && literal !== undefined) view.model.set(path, literal);
  return there ?? literal;
}

export const pathOf = (bound: unknown, view: View): string | undefined => {
  const path = ownText(bound, "path");
  return path === undefined ? undefined : absolute(path, view.scope, view.model);
};

function literalOf(bound: unknown): Value {
  for (const name of ["literalString", "literalNumber", "literalBoolean"]) {
    const value = own(bound, name);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  }
  const list = own(bound, "literalArray");
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : undefined;
}

export const textOf = (bound: unknown, view: View): string => {
  const value = valueOf(bound, view);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
};

/** Of a list an agent gave: more of them nobody reads, and some calls take no more at once. */
export const maxItems = 1_000;

export const element = (tag: string, className: string, ...children: (Node | undefined)[]): HTMLElement => {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children.filter((child) => child !== undefined));
  return made;
};

/** Ids of a list, or the items of a template. */
export function fillChildren(box: HTMLElement, children: unknown, view: View): void {
  const list = own(children, "explicitList");
  if (Array.isArray(list)) {
    box.append(...list.slice(0, maxItems).flatMap((id) => view.child(id) ?? []));
    return;
  }
  const template = own(children, "template");
  const componentId = own(template, "componentId");
  const binding = ownText(template, "dataBinding");
  if (binding === undefined || !isObject(template)) return;
  let shown: string | undefined;
  view.bind(() => {
    const path = absolute(binding, view.scope, view.model);
    const keys = view.model.keys(path);
    const now = `${path} ${keys.join("\0")}`;
    if (shown === now) return;
    if (shown !== undefined) view.outdated();
    else box.append(...keys.slice(0, maxItems).flatMap((key) => view.child(componentId, `${path}/${key}`) ?? []));
    shown = now;
  });
}
