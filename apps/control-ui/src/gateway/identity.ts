/** The key that names this browser. One for all tabs, kept in localStorage. WebCrypto where the page may use it; elsewhere
 *  (plain HTTP to another machine, old browsers) the same algorithm in JavaScript, loaded only then. */
import { webIdentity, type DeviceIdentity, type StoredWebKey } from "@openclaw/client";
import { loadScriptedIdentity } from "./lazy.ts";
import { isRecord, readJson, writeJson } from "./storage.ts";

const keyName = "openclaw.device";

const isStoredKey = (value: unknown): value is StoredWebKey =>
  isRecord(value) &&
  value.version === 1 &&
  ["deviceId", "publicKey", "privateKey"].every((name) => typeof value[name] === "string");

const store = {
  load: (): StoredWebKey | undefined => readJson("local", keyName, isStoredKey),
  save: (key: StoredWebKey): void => void writeJson("local", keyName, key),
};

let made: Promise<DeviceIdentity> | undefined;

/** The same identity for as long as the page lives, even when storage is forbidden. */
export function deviceIdentity(): Promise<DeviceIdentity> {
  made ??= webIdentity(store).then(
    async (identity) => identity ?? (await loadScriptedIdentity()).scriptedIdentity(store),
  );
  return made;
}
