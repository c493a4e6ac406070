/** The data of a surface: a tree of maps and lists, addressed by paths such as `/user/name`. Maps, so that no key means more than
 *  itself. */
import { isObject, own, ownText } from "./messages.ts";

export type Value = string | number | boolean | undefined | Value[] | Map<string, Value>;

const maxDepth = 32;

export const namesOf = (path: string): string[] => path.split("/").filter((name) => name !== "");

/** Inside a template paths without a slash belong to the item; one with a slash to the surface, or to the item when the surface
 *  has nothing there. */
export function absolute(path: string, scope: string, model: DataModel): string {
  if (scope === "") return path;
  const inItem = `${scope}/${namesOf(path).join("/")}`;
  return path.startsWith("/") && model.get(path) !== undefined ? path : inItem;
}

export class DataModel {
  readonly #root = new Map<string, Value>();

  get(path: string): Value {
    let value: Value = this.#root;
    for (const name of namesOf(path)) {
      value = opened(value);
      if (value instanceof Map) value = value.get(name);
      else if (Array.isArray(value)) value = /^\d{1,6}$/.test(name) ? value[Number(name)] : undefined;
      else return undefined;
    }
    return value;
  }

  /** Keys of a list or a map; none for anything else. */
  keys(path: string): string[] {
    const value = opened(this.get(path));
    if (value instanceof Map) return [...value.keys()];
    return Array.isArray(value) ? [...value.keys()].map(String) : [];
  }

  /** Makes the maps on the way. */
  set(path: string, value: Value): void {
    const names = namesOf(path).slice(0, maxDepth);
    const last = names.pop();
    if (last === undefined) {
      if (value instanceof Map) for (const [key, one] of value) this.#root.set(key, one);
      return;
    }
    let place: Value = this.#root;
    for (const name of names) {
      if (place instanceof Map) {
        let next = place.get(name);
        if (!(next instanceof Map) && !Array.isArray(next)) {
          next = new Map();
          place.set(name, next);
        }
        place = next;
      } else if (Array.isArray(place) && /^\d{1,6}$/.test(name)) place = place[Number(name)];
      else return;
    }
    if (place instanceof Map) place.set(last, value);
    else if (Array.isArray(place) && /^\d{1,6}$/.test(last) && Number(last) <= place.length)
      place[Number(last)] = value;
  }

  /** `contents` of a dataModelUpdate: keys below the path. */
  update(path: string, contents: unknown): void {
    const values = readMap(contents, 0);
    const there = this.get(path);
    if (namesOf(path).length > 0 && !(there instanceof Map)) this.set(path, values);
    else for (const [key, value] of values) this.set(`${path}/${key}`, value);
  }
}

function readMap(contents: unknown, depth: number): Map<string, Value> {
  const map = new Map<string, Value>();
  if (!Array.isArray(contents) || depth > maxDepth) return map;
  for (const entry of contents) {
    const key = ownText(entry, "key");
    if (key !== undefined && isObject(entry)) map.set(key, readValue(entry, depth));
  }
  return map;
}

function readValue(entry: Record<string, unknown>, depth: number): Value {
  for (const name of ["valueString", "valueNumber", "valueBoolean"]) {
    const value = own(entry, name);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  }
  return Object.hasOwn(entry, "valueMap") ? readMap(entry["valueMap"], depth + 1) : undefined;
}

/** Agents write lists as JSON in a text, since the protocol has no other form for them. */
function opened(value: Value): Value {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return fromJson(JSON.parse(value), 0);
  } catch {
    return value; // A text that only begins like one.
  }
}

function fromJson(json: unknown, depth: number): Value {
  if (depth > maxDepth) return undefined;
  if (Array.isArray(json)) return json.map((one) => fromJson(one, depth + 1));
  if (isObject(json)) return new Map(Object.entries(json).map(([key, one]) => [key, fromJson(one, depth + 1)]));
  return typeof json === "string" || typeof json === "number" || typeof json === "boolean" ? json : undefined;
}

/** For the context of an action. */
export function toJson(value: Value): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [key, toJson(one)]));
  return Array.isArray(value) ? value.map(toJson) : (value ?? null);
}
