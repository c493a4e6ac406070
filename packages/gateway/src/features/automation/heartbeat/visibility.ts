/** Which results of heartbeats show in a chat: what holds for all channels, narrowed by channel and account. */
export interface Visibility {
  showOk: boolean;
  showAlerts: boolean;
  useIndicator: boolean;
}

type Json = Record<string, unknown>;

const asObject = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};

const own = (value: unknown, name: string): unknown => {
  const object = asObject(value);
  return Object.hasOwn(object, name) ? object[name] : undefined;
};

export function visibilityOf(config: unknown, channel: string | undefined, accountId: string | undefined): Visibility {
  const channels = own(config, "channels");
  const base = channel === undefined ? undefined : own(channels, channel);
  const account = accountId === undefined ? undefined : own(own(base, "accounts"), accountId);
  const layers = [own(channels, "defaults"), base, account].map((layer) => asObject(own(layer, "heartbeat")));
  const { showOk, showAlerts, useIndicator } = Object.assign({}, ...layers) as Partial<Visibility>;
  return { showOk: showOk === true, showAlerts: showAlerts !== false, useIndicator: useIndicator !== false };
}

export const showsNothing = ({ showOk, showAlerts, useIndicator }: Visibility): boolean =>
  !showOk && !showAlerts && !useIndicator;
