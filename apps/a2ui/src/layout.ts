/** Rows, columns, cards and what else holds other components. */
import { own, ownText } from "./messages.ts";
import { element, fillChildren, type Make, maxItems, textOf } from "./view.ts";

const distributions: Readonly<Record<string, string>> = {
  center: "center",
  end: "flex-end",
  start: "flex-start",
  spaceAround: "space-around",
  spaceBetween: "space-between",
  spaceEvenly: "space-evenly",
};
const alignments: Readonly<Record<string, string>> = {
  center: "center",
  end: "flex-end",
  start: "flex-start",
  stretch: "stretch",
};

const line =
  (className: string): Make =>
  (props, view) => {
    const box = element("div", className);
    const direction = ownText(props, "direction");
    if (direction === "horizontal") box.classList.add("horizontal");
    if (className === "row" && Object.hasOwn(props, "distribution")) box.classList.add("spread");
    box.style.justifyContent = distributions[ownText(props, "distribution") ?? ""] ?? "";
    box.style.alignItems = alignments[ownText(props, "alignment") ?? ""] ?? "";
    fillChildren(box, own(props, "children"), view);
    return box;
  };

const card: Make = (props, view) => element("section", "card", view.child(own(props, "child")));

const divider: Make = (props) => {
  const rule = element("hr", "divider");
  if (ownText(props, "axis") === "vertical") rule.classList.add("vertical");
  return rule;
};

const tabs: Make = (props, view) => {
  const items = own(props, "tabItems");
  const list = element("div", "tab-list");
  list.setAttribute("role", "tablist");
  const body = element("div", "tab-body");
  body.setAttribute("role", "tabpanel");
  const all = (Array.isArray(items) ? items.slice(0, maxItems) : []).map((item: unknown) => {
    const tab = element("button", "tab");
    tab.setAttribute("role", "tab");
    view.bind(() => (tab.textContent = textOf(own(item, "title"), view)));
    return { tab, panel: view.child(own(item, "child")) };
  });
  const choose = (chosen: HTMLElement | undefined) => {
    for (const { tab, panel } of all) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      if (on) body.replaceChildren(...(panel ? [panel] : []));
    }
  };
  for (const [index, { tab }] of all.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      const next = step === 0 ? undefined : all.at((index + step) % all.length)?.tab;
      if (!next) return;
      choose(next);
      next.focus();
    });
  }
  list.append(...all.map(({ tab }) => tab));
  choose(all[0]?.tab);
  return element("div", "tabs", list, body);
};

const modal: Make = (props, view) => {
  const dialog = document.createElement("dialog");
  dialog.className = "modal";
  const close = element("button", "modal-close");
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(...[view.child(own(props, "contentChild")), close].filter((child) => child !== undefined));
  const entry = element("div", "modal-entry", view.child(own(props, "entryPointChild")));
  entry.addEventListener("click", () => dialog.showModal());
  entry.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === entry) dialog.showModal();
  });
  if (!entry.querySelector("button, input, a")) {
    entry.tabIndex = 0;
    entry.setAttribute("role", "button");
  }
  return element("div", "modal-place", entry, dialog);
};

export const layout: Readonly<Record<string, Make>> = {
  Row: line("row"),
  Column: line("column"),
  List: line("list"),
  Card: card,
  Divider: divider,
  Tabs: tabs,
  Modal: modal,
};
