/** A login in progress: a code to show, and how it ended. */
import type { LoginCode } from "../channel.ts";

export interface LoginResult {
  connected: boolean;
  message: string;
}

export class Login {
  readonly startedAt: number;
  /** For a login by code rather than by picture. */
  readonly phone: string | undefined;
  /** The code to show now. */
  code: LoginCode | undefined;
  readonly #shown = Promise.withResolvers<LoginCode | undefined>();
  /** The next code. */
  #coming = Promise.withResolvers<LoginCode | undefined>();
  readonly #ended = Promise.withResolvers<LoginResult>();

  constructor(startedAt: number, phone?: string) {
    this.startedAt = startedAt;
    this.phone = phone;
  }

  /** The first code; undefined when the login ended without one. */
  get shown(): Promise<LoginCode | undefined> {
    return this.#shown.promise;
  }
  /** Never rejects. */
  get ended(): Promise<LoginResult> {
    return this.#ended.promise;
  }

  show(code: LoginCode): void {
    this.code = code;
    this.#shown.resolve(code);
    this.#coming.resolve(code);
    this.#coming = Promise.withResolvers();
  }

  /** A code other than `text`, now or as soon as there is one; undefined when the login ends first. */
  codeAfter(text: string): Promise<LoginCode | undefined> {
    const { code } = this;
    if (code && (code.kind === "qr" ? code.text : code.code) !== text) return Promise.resolve(code);
    return this.#coming.promise;
  }

  end(result: LoginResult): void {
    this.#shown.resolve(undefined);
    this.#coming.resolve(undefined);
    this.#ended.resolve(result);
  }
}
