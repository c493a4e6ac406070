/** Secrets of this browser. The shared token lives as long as the tab and belongs to one gateway address; a password lives in
 *  memory only; the tokens the gateway issued to this device stay (control-ui.md §2.3, §2.6). */
import type { Credentials, DeviceToken, DeviceTokens } from "@openclaw/client";
import { isRecord, readJson, readText, remove, writeJson, writeText } from "./storage.ts";

const tokenKey = (gatewayUrl: string): string => `openclaw.token:${gatewayUrl}`;
const deviceTokensKey = (gatewayUrl: string): string => `openclaw.device-tokens:${gatewayUrl}`;

export class Secrets {
  readonly #gatewayUrl: string;
  #password: string | undefined;

  constructor(gatewayUrl: string) {
    this.#gatewayUrl = gatewayUrl;
  }

  /** Empty when nothing was entered: then a device token is used, if there is one. */
  credentials(): Credentials {
    const token = readText("session", tokenKey(this.#gatewayUrl));
    return {
      ...(token === undefined ? {} : { token }),
      ...(this.#password === undefined ? {} : { password: this.#password }),
    };
  }

  useToken(value: string): void {
    this.#password = undefined;
    writeText("session", tokenKey(this.#gatewayUrl), value);
  }

  usePassword(value: string): void {
    remove("session", tokenKey(this.#gatewayUrl));
    this.#password = value;
  }

  /** Forgets what was entered: it was refused. Device tokens stay. */
  forgetShared(): void {
    this.#password = undefined;
    remove("session", tokenKey(this.#gatewayUrl));
  }

  /** As if this browser had never been here. */
  forgetAll(): void {
    this.forgetShared();
    remove("local", deviceTokensKey(this.#gatewayUrl));
  }

  get hasDeviceToken(): boolean {
    return Object.keys(readJson("local", deviceTokensKey(this.#gatewayUrl), isRecord) ?? {}).length > 0;
  }

  /** What hello said about this device (control-ui.md §2.6). */
  keepDeviceToken(auth: { role: string; scopes: readonly string[]; deviceToken?: string } | undefined): void {
    if (!auth?.deviceToken) return;
    void this.deviceTokens.save(auth.role, { token: auth.deviceToken, scopes: auth.scopes });
  }

  get deviceTokens(): DeviceTokens {
    const key = deviceTokensKey(this.#gatewayUrl);
    const all = (): Record<string, unknown> => readJson("local", key, isRecord) ?? {};
    return {
      load: (role) => asDeviceToken(all()[role]),
      save: (role, token) => void writeJson("local", key, { ...all(), [role]: token }),
      clear: (role) => {
        const { [role]: _gone, ...rest } = all();
        writeJson("local", key, rest);
      },
    };
  }
}

function asDeviceToken(value: unknown): DeviceToken | undefined {
  if (!isRecord(value) || typeof value.token !== "string" || !Array.isArray(value.scopes)) return undefined;
  return { token: value.token, scopes: value.scopes.filter((scope) => typeof scope === "string") };
}
