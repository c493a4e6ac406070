/** What a check is, and what it says. */
import type { World } from "../../kernel/world.ts";
import type { ConfigSnapshot } from "../../config/index.ts";
import type { EffectiveConfig } from "../sections.ts";
import type { StatusFile } from "../status-file.ts";

/** `error`: the gateway does not start or loses something. `warn`: it runs, and should not stay like this. `info`: good to know. */
export type Severity = "error" | "warn" | "info";

export interface Found {
  severity: Severity;
  /** One line. */
  title: string;
  /** Why it is so, and what follows from it. */
  cause: string;
  /** What a person does about it, or what the repair does. */
  fix: string;
  /** The file or key it is about; the repair works on nothing else. */
  subject?: string;
  /** False: this one cannot be repaired although the check has a repair. */
  fixable?: false;
}

/** As it is printed. `code` is the id of its check. */
export interface Finding extends Omit<Found, "fixable"> {
  code: string;
  fixable: boolean;
}

/** When a repair is made: with `--fix`, only with `--force` (it gives something up), or only with
 *  `--generate-gateway-token` (clients must be told). */
export type RepairClass = "plain" | "forced" | "token";

export interface Check {
  /** Stable; scripts match it. */
  id: string;
  summary: string;
  /** `undefined` when it could not look, with the reason noted by `skip`. Must not change anything. */
  find(context: DoctorContext): Found[] | Promise<Found[]>;
  /** Repairs one finding and says what it did, one line each. Keeps a copy of what it replaces. */
  fix?(finding: Finding, context: DoctorContext): string[] | Promise<string[]>;
  repair?: RepairClass;
}

/** What the checks look at. Read anew after each repair. */
export interface DoctorContext {
  world: World;
  version: string;
  /** State directory; may be missing. */
  state: string;
  configPath: string;
  snapshot: ConfigSnapshot;
  /** The document as far as it can be read: `{}` when it cannot. */
  document: Record<string, unknown>;
  /** Effective values; absent while the config is broken. */
  config?: EffectiveConfig;
  /** What the gateway last wrote about itself. */
  status?: StatusFile;
  /** A gateway holds the lock of the state directory. */
  running: boolean;
  /** Also look at what takes longer: the indexes of the store. */
  deep: boolean;
  /** Only tests look at a machine of their own. */
  machine?: { root: string; uid: number };
  /** Of this process; undefined on systems without user ids. */
  uid: number | undefined;
  /** Path with the home directory as `~`. */
  show(path: string): string;
  /** `openclaw <words>` as it is typed for the profile that was looked at. */
  command(words: string): string;
  /** Copies a file into this run's backup folder and returns the copy's path. */
  keep(path: string): string;
  /** Moves a file into this run's backup folder and returns its new path. */
  setAside(path: string): string;
  /** Something could not be looked at. */
  skip(reason: string): void;
}

/** The value at a path of keys, as far as the document goes. */
export function at(document: unknown, ...keys: string[]): unknown {
  let value = document;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? messageOf(error);
