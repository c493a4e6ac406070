/** Choices of this browser, under one key (control-ui.md §2.3). No secret is ever among them. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { isRecord, readJson, writeJson } from "../gateway/storage.ts";

/** Also read by the inline script of index.html, before anything is drawn. */
export const settingsKey = "openclaw.control-ui";

export type Theme = "system" | "light" | "dark";

export interface SettingsValues {
  /** Empty: the address the page came from. */
  gatewayUrl: string;
  theme: Theme;
  /** The session chat opens with; empty: the main one. */
  sessionKey: string;
  lastActiveSessionKey: string;
  chatFocusMode: boolean;
  chatShowThinking: boolean;
  /** Share of the width that the conversation keeps while something is open beside it; 0.4 to 0.7. */
  splitRatio: number;
  navCollapsed: boolean;
  navGroupsCollapsed: Record<string, boolean>;
}

const defaults: SettingsValues = {
  gatewayUrl: "",
  theme: "system",
  sessionKey: "",
  lastActiveSessionKey: "",
  chatFocusMode: false,
  chatShowThinking: true,
  splitRatio: 0.6,
  navCollapsed: false,
  navGroupsCollapsed: {},
};

export const clampSplit = (ratio: number): number => Math.min(0.7, Math.max(0.4, ratio));

/** Keeps of `stored` what has the right type; everything else falls back to its default. */
export function readSettings(stored: Record<string, unknown>): SettingsValues {
  const values: SettingsValues = { ...defaults, navGroupsCollapsed: {} };
  const target = values as unknown as Record<string, unknown>;
  for (const [name, fallback] of Object.entries(defaults)) {
    const value = stored[name];
    if (typeof value === typeof fallback && value !== null && !Array.isArray(value)) target[name] = value;
  }
  if (!["system", "light", "dark"].includes(values.theme)) values.theme = "system";
  values.splitRatio = clampSplit(values.splitRatio);
  return values;
}

export class Settings {
  readonly #values = signal<SettingsValues>(readSettings(readJson("local", settingsKey, isRecord) ?? {}));

  get values(): ReadonlySignal<SettingsValues> {
    return this.#values;
  }

  get current(): SettingsValues {
    return this.#values.value;
  }

  /** For as long as the page lives; nothing is stored. */
  assume(changes: Partial<SettingsValues>): void {
    this.#values.value = { ...this.#values.peek(), ...changes };
  }

  change(changes: Partial<SettingsValues>): void {
    this.#values.value = { ...this.#values.peek(), ...changes };
    writeJson("local", settingsKey, this.#values.peek());
    if (changes.theme !== undefined) applyTheme(changes.theme);
  }
}

export function applyTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset.theme;
  else dataset.theme = theme;
}
