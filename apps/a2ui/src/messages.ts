/** A2UI v0.8 as it arrives. Components come from an agent: everything inside them is judged where it is used. */
export type Props = Readonly<Record<string, unknown>>;

export interface Component {
  id: string;
  weight?: number;
  type: string;
  props: Props;
}

export interface Styles {
  font?: string;
  primaryColor?: string;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An own property; what an agent names `constructor` is not there. */
export const own = (object: unknown, name: string): unknown =>
  isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;

export const ownText = (object: unknown, name: string): string | undefined => {
  const value = own(object, name);
  return typeof value === "string" ? value : undefined;
};

/** Undefined for what is no component. */
export function readComponent(value: unknown): Component | undefined {
  const id = ownText(value, "id");
  const body = own(value, "component");
  if (id === undefined || id === "" || !isObject(body)) return undefined;
  const [type, ...more] = Object.keys(body);
  if (type === undefined || more.length > 0) return undefined;
  const props = own(body, type);
  const weight = own(value, "weight");
  return {
    id,
    type,
    props: isObject(props) ? props : {},
    ...(typeof weight === "number" && weight > 0 && weight <= 1_000 ? { weight } : {}),
  };
}
