/** A login by code, as a state that moves on by itself: begun, shown, renewed, linked or over. Ends with `stop`. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { RequestError } from "@openclaw/client";
import { isRecord, plainError, type GatewayLink } from "../../gateway/index.ts";

export interface LoginCode {
  /** PNG, `data:image/` only. */
  picture: string | undefined;
  /** To type on the phone. */
  typed: string | undefined;
  /** Tells the gateway what is on screen. */
  shown: string;
  expiresAt: number | undefined;
}

export type LoginState =
  | { name: "starting" }
  | { name: "waiting"; message: string; code: LoginCode }
  | { name: "linked"; message: string }
  /** Nothing more comes of this attempt; `already` when there was nothing to do. */
  | { name: "over"; message: string; already: boolean };

export interface LoginTarget {
  channel: string;
  accountId: string | undefined;
  /** Digits: login by a code typed on the phone, instead of a picture. */
  phone: string | undefined;
  /** Begin anew although the account is linked. */
  force: boolean;
}

type Calls = Pick<GatewayLink, "callAny">;

const startTimeoutMs = 45_000;
const waitMs = 60_000;
/** A channel that was just put into the config is adopted within this. */
const adoptTries = 60;
const adoptEveryMs = 100;

export class Login {
  readonly #link: Calls;
  readonly #target: LoginTarget;
  readonly #state = signal<LoginState>({ name: "starting" });
  #stopped = false;

  constructor(link: Calls, target: LoginTarget) {
    this.#link = link;
    this.#target = target;
  }

  get state(): ReadonlySignal<LoginState> {
    return this.#state;
  }

  /** Runs until linked, over or stopped. Never rejects: what went wrong is in the state. */
  async run(): Promise<void> {
    try {
      await this.#follow(await this.#begin());
    } catch (error) {
      this.#set({ name: "over", message: plainError(error), already: false });
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #set(state: LoginState): void {
    if (!this.#stopped) this.#state.value = state;
  }

  async #follow(first: Record<string, unknown>): Promise<void> {
    let code = codeOf(first);
    if (!code) {
      const message = text(first.message);
      this.#set({ name: "over", message, already: /already linked/i.test(message) });
      return;
    }
    this.#set({ name: "waiting", message: text(first.message), code });
    while (!this.#stopped) {
      const params = { ...this.#account(), shown: code.shown, timeoutMs: waitMs };
      const step = record(await this.#link.callAny("web.login.wait", params, { timeoutMs: waitMs + 15_000 }));
      if (step.connected === true) return this.#set({ name: "linked", message: text(step.message) });
      if (step.done === true) return this.#set({ name: "over", message: text(step.message), already: false });
      const newer = codeOf(step);
      if (newer) {
        code = newer;
        this.#set({ name: "waiting", message: text(first.message), code });
      }
    }
  }

  /** A channel the config does not name yet is put there first: that is what the button is for. */
  async #begin(): Promise<Record<string, unknown>> {
    const { phone, force } = this.#target;
    const params = { ...this.#account(), force, ...(phone === undefined ? {} : { phone }) };
    const start = async () =>
      record(await this.#link.callAny("web.login.start", params, { timeoutMs: startTimeoutMs }));
    for (let tries = 0; ; tries++) {
      try {
        return await start();
      } catch (error) {
        if (!isNotConfigured(error) || tries >= adoptTries || this.#stopped) throw error;
        if (tries === 0) await this.#configure();
        await new Promise((resolve) => setTimeout(resolve, adoptEveryMs));
      }
    }
  }

  async #configure(): Promise<void> {
    const { hash } = record(await this.#link.callAny("config.get", {}));
    const raw = JSON.stringify({ channels: { [this.#target.channel]: {} } });
    await this.#link.callAny("config.patch", { raw, ...(typeof hash === "string" ? { baseHash: hash } : {}) });
  }

  #account(): Record<string, unknown> {
    const { channel, accountId } = this.#target;
    return { channel, ...(accountId === undefined ? {} : { accountId }) };
  }
}

function codeOf(step: Record<string, unknown>): LoginCode | undefined {
  const picture = text(step.qrDataUrl);
  const typed = text(step.code);
  const shown = typed || text(step.qrText);
  if (shown === "") return undefined;
  return {
    // Nothing else may ever become the source of a picture.
    picture: picture.startsWith("data:image/") ? picture : undefined,
    typed: typed === "" ? undefined : typed,
    shown,
    expiresAt: typeof step.expiresAt === "number" ? step.expiresAt : undefined,
  };
}

const isNotConfigured = (error: unknown): boolean =>
  error instanceof RequestError && record(error.details).code === "CHANNEL_NOT_CONFIGURED";

const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");
