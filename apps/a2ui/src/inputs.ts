/** What a person can change or press. Inputs write to the data of their surface; only a button tells the agent. */
import { toJson, type Value } from "./data-model.ts";
import { isObject, own, ownText } from "./messages.ts";
import { fits } from "./safe.ts";
import { element, type Make, maxItems, pathOf, textOf, valueOf, type View } from "./view.ts";

const button: Make = (props, view) => {
  const made = element("button", own(props, "primary") === true ? "button primary" : "button");
  made.append(...[view.child(own(props, "child"))].filter((child) => child !== undefined));
  made.addEventListener("click", () => {
    const action = own(props, "action");
    const name = ownText(action, "name");
    if (name !== undefined && name !== "") view.act(name, contextOf(own(action, "context"), view));
  });
  return made;
};

function contextOf(entries: unknown, view: View): Record<string, unknown> | undefined {
  if (!Array.isArray(entries) || entries.length === 0) return undefined;
  const pairs = entries.flatMap((entry: unknown) => {
    const key = ownText(entry, "key");
    return key === undefined ? [] : [[key, toJson(valueOf(own(entry, "value"), view))] as const];
  });
  return Object.fromEntries(pairs);
}

/** Where an input keeps its value; one without a path keeps it to itself. */
function keep(bound: unknown, view: View, value: Value): void {
  const path = pathOf(bound, view);
  if (path === undefined) return;
  view.model.set(path, value);
  view.changed();
}

let ids = 0;

function labelled(input: HTMLElement, bound: unknown, view: View, className: string): HTMLElement {
  const label = document.createElement("label");
  label.className = "label";
  input.id = `input-${++ids}`;
  label.htmlFor = input.id;
  view.bind(() => (label.textContent = textOf(bound, view)));
  return element("div", className, label, input);
}

const textTypes: Readonly<Record<string, string>> = { date: "date", number: "number", obscured: "password" };

const textField: Make = (props, view) => {
  const kind = ownText(props, "textFieldType") ?? "shortText";
  const input = kind === "longText" ? document.createElement("textarea") : document.createElement("input");
  if (input instanceof HTMLInputElement)
    input.type = (Object.hasOwn(textTypes, kind) ? textTypes[kind] : undefined) ?? "text";
  const bound = own(props, "text");
  const pattern = ownText(props, "validationRegexp");
  const judge = () => {
    const wrong = pattern !== undefined && input.value !== "" && !fits(pattern, input.value);
    input.setAttribute("aria-invalid", String(wrong));
  };
  view.bind(() => {
    const text = textOf(bound, view);
    if (document.activeElement !== input && input.value !== text && (text !== "" || pathOf(bound, view)))
      input.value = text;
    judge();
  });
  input.addEventListener("input", () => {
    judge();
    keep(bound, view, input.value);
  });
  return labelled(input, own(props, "label"), view, "field");
};

const checkBox: Make = (props, view) => {
  const input = document.createElement("input");
  input.type = "checkbox";
  const bound = own(props, "value");
  view.bind(() => {
    const value = valueOf(bound, view);
    if (value !== undefined) input.checked = value === true;
  });
  input.addEventListener("change", () => keep(bound, view, input.checked));
  return labelled(input, own(props, "label"), view, "check");
};

const slider: Make = (props, view) => {
  const input = document.createElement("input");
  input.type = "range";
  const number = (name: string, fallback: number) => {
    const value = own(props, name);
    return typeof value === "number" && Number.isFinite(value) ? value : fallback;
  };
  const [least, most] = [number("minValue", 0), number("maxValue", 100)];
  input.min = String(least);
  input.max = String(most);
  input.step = most - least <= 1 ? "0.01" : "any";
  const bound = own(props, "value");
  const shown = element("output", "slider-value");
  const show = () => (shown.textContent = String(Math.round(Number(input.value) * 100) / 100));
  view.bind(() => {
    const value = valueOf(bound, view);
    if (typeof value === "number") input.value = String(value);
    show();
  });
  input.addEventListener("input", () => {
    show();
    keep(bound, view, Number(input.value));
  });
  const field = labelled(input, own(props, "label"), view, "field slider");
  field.append(shown);
  return field;
};

const dateTime: Make = (props, view) => {
  const input = document.createElement("input");
  const [date, time] = [own(props, "enableDate") !== false, own(props, "enableTime") === true];
  input.type = date && time ? "datetime-local" : time ? "time" : "date";
  input.className = "date";
  const bound = own(props, "value");
  view.bind(() => {
    const text = textOf(bound, view);
    const cut = input.type === "date" ? text.slice(0, 10) : input.type === "datetime-local" ? text.slice(0, 16) : text;
    if (input.value !== cut) input.value = cut;
  });
  input.addEventListener("input", () => keep(bound, view, input.value));
  input.setAttribute("aria-label", time && !date ? "Time" : "Date");
  return element("div", "field", input);
};

const chosenOf = (value: Value): string[] =>
  Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : value instanceof Map
      ? [...value.values()].filter((one) => typeof one === "string")
      : typeof value === "string" && value !== ""
        ? [value]
        : [];

const choice: Make = (props, view) => {
  const bound = own(props, "selections");
  const given = own(props, "options");
  const limit = own(props, "maxAllowedSelections");
  const most = typeof limit === "number" && limit >= 1 ? limit : Infinity;
  const box = element("div", ownText(props, "variant") === "chips" ? "choices chips" : "choices");
  box.setAttribute("role", "group");
  const name = `choice-${++ids}`;
  let chosen: string[] = [];
  const options = (Array.isArray(given) ? given.slice(0, maxItems) : []).filter(isObject).map((option) => {
    const value = ownText(option, "value") ?? "";
    const input = document.createElement("input");
    input.type = most === 1 ? "radio" : "checkbox";
    input.name = name;
    const row = labelled(input, own(option, "label"), view, "choice");
    input.addEventListener("change", () => {
      const others = most === 1 ? [] : chosen.filter((one) => one !== value);
      chosen = input.checked ? [...others, value].slice(-most) : others;
      keep(bound, view, chosen);
      show();
    });
    return { value, input, row };
  });
  const show = () => {
    for (const { value, input } of options) input.checked = chosen.includes(value);
  };
  view.bind(() => {
    const value = valueOf(bound, view);
    if (value !== undefined) chosen = chosenOf(value);
    show();
  });
  if (own(props, "filterable") === true) {
    const search = document.createElement("input");
    search.type = "search";
    search.placeholder = "Filter";
    search.setAttribute("aria-label", "Filter");
    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      for (const { row } of options) row.hidden = !(row.textContent ?? "").toLowerCase().includes(wanted);
    });
    box.append(search);
  }
  box.append(...options.map(({ row }) => row));
  return box;
};

export const inputs: Readonly<Record<string, Make>> = {
  Button: button,
  TextField: textField,
  CheckBox: checkBox,
  Slider: slider,
  DateTimeInput: dateTime,
  MultipleChoice: choice,
};
