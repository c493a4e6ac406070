/** What the wizard needs of the rest of the gateway; the assembly hands it in. */
import type { Plan } from "./plan.ts";

export interface ProviderChoice {
  id: string;
  name: string;
  /** Environment variable that holds its key; absent where no key is needed. */
  keyName?: string;
  /** Where a key is already. */
  key?: "env" | "config";
  defaultModel?: string;
  /** Models a server on this machine lists. Only local ones have them. */
  models?: readonly string[];
}

/** What stands in the config file now, as far as the wizard asks about it. */
export interface Present {
  mode?: "local" | "remote";
  remoteUrl?: string;
  workspace?: string;
  model?: string;
  port?: number;
  bind?: string;
  customBindHost?: string;
  authMode?: string;
  hasToken: boolean;
  hasPassword: boolean;
  tailscale?: string;
  /** `agents.defaults.model` is a bare text. */
  shortModel: boolean;
  /** Models that may be chosen; empty: any. */
  allowed: readonly string[];
}

export interface Facts {
  /** Config file, as people write it. */
  configPath: string;
  exists: boolean;
  /** The file is there, but cannot be used: only starting over helps here. */
  broken?: string;
  /** SHA-256 of the text that was read. */
  hash: string;
  present: Present;
  defaultWorkspace: string;
  defaultPort: number;
  /** OPENCLAW_GATEWAY_TOKEN is set: clients prefer it, so a second token in the file would only disagree. */
  tokenInEnv: boolean;
  passwordInEnv: boolean;
  providers: readonly ProviderChoice[];
}

export type KeyVerdict = "accepted" | "refused" | "unknown";

export interface SetupPorts {
  /** Looks at files, environment and this machine's model servers. Writes nothing. Takes at most about 300 ms. */
  facts(): Promise<Facts>;
  /** One cheap request. `unknown` when the provider cannot be reached within a few seconds. Never throws. */
  checkKey(provider: string, key: string): Promise<KeyVerdict>;
  /** Writes everything; answers with lines that say what was written. Throws GatewayError and leaves the config as it was. */
  apply(plan: Plan): Promise<string[]>;
  newToken(): string;
  /** `openclaw …` as this person would type it. */
  command(words: string): string;
  /** Why a path cannot be a workspace, or undefined. */
  workspaceProblem(path: string): string | undefined;
}
