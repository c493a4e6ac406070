/** Messages that were written while we were away for long (R-WA-6): stored and counted, not answered, and told of once. */
import type { Logger } from "../../../kernel/log.ts";
import type { Timer, World } from "../../../kernel/world.ts";
import type { InboundRow } from "../inbound.ts";

/** What is older at its arrival is not answered. */
const catchUpMs = 10 * 60_000;
/** They come in one burst, and are told of in one line. */
const burstMs = 5_000;

export interface OldMessagesOptions {
  world: Pick<World, "after">;
  log: Logger;
  systemEvent: (sessionKey: string, text: string) => void;
}

export class OldMessages {
  readonly #o: OldMessagesOptions;
  /** One entry per account and session that such messages are for, for some seconds. */
  readonly #counts = new Map<string, { messages: number; timer: Timer }>();

  constructor(options: OldMessagesOptions) {
    this.#o = options;
  }

  isOld({ message, receivedAt }: Pick<InboundRow, "message" | "receivedAt">): boolean {
    return message.catchUp === true && (message.ageMs ?? receivedAt - message.at) > catchUpMs;
  }

  /** One more that is not answered. `label` names the channel, `sessionKey` who is told. */
  passOver(label: string, sessionKey: string): void {
    const name = JSON.stringify([label, sessionKey]);
    const known = this.#counts.get(name);
    if (known) {
      known.messages++;
      return;
    }
    const timer = this.#o.world.after(burstMs, () => this.#tell(name, label, sessionKey));
    this.#counts.set(name, { messages: 1, timer });
  }

  stop(): void {
    for (const { timer } of this.#counts.values()) timer.cancel();
    this.#counts.clear();
  }

  #tell(name: string, label: string, sessionKey: string): void {
    const messages = this.#counts.get(name)?.messages ?? 0;
    this.#counts.delete(name);
    const what = messages === 1 ? "1 message that was" : `${messages} messages that were`;
    const text = `${what} written while ${label} was away for more than 10 minutes ${messages === 1 ? "was" : "were"} not answered`;
    this.#o.log.warn(text);
    this.#o.systemEvent(sessionKey, `${text}.`);
  }
}
