/** The platform of the outbox simulation: it outlives every gateway, answers as the seed wants, drops a client message id it
 *  knows, and complains about what comes too early, too fast or twice. */
import type { World } from "../../../kernel/world.ts";
import type { SendBudget } from "../channel.ts";
import type { OutboundPart, SendOutcome } from "../outbound.ts";
import { textOfPart } from "./ledger.fixture.ts";

export const simBudget: SendBudget = {
  directEveryMs: 400,
  group: { count: 5, perMs: 20_000, everyMs: 700 },
  account: { count: 6, perMs: 1_000 },
};

export interface Delivery {
  text: string;
  chatId: string;
  clientMsgId: string | undefined;
}

export class SimPlatform {
  readonly deliveries: Delivery[] = [];
  /** No more faults. */
  calm = false;
  readonly #random: () => number;
  readonly #world: Pick<World, "monotonic" | "after">;
  readonly #allows: (text: string) => void;
  readonly #complain: (rule: string, text: string) => void;
  /** Since the gateway began: when parts left, and until when a chat was told to wait. */
  #left: { chatId: string; at: number }[] = [];
  readonly #holds = new Map<string, number>();

  constructor(options: {
    random: () => number;
    world: Pick<World, "monotonic" | "after">;
    allows: (text: string) => void;
    complain: (rule: string, text: string) => void;
  }) {
    this.#random = options.random;
    this.#world = options.world;
    this.#allows = options.allows;
    this.#complain = options.complain;
  }

  /** Another gateway begins; what it cannot know is not asked of it. */
  forget(): void {
    this.#left = [];
    this.#holds.clear();
  }

  async receive(
    process: { readonly dead: boolean },
    part: OutboundPart,
    clientMsgId: string | undefined,
  ): Promise<SendOutcome> {
    const text = textOfPart(part);
    const { chatId } = part.target;
    this.#allows(text);
    this.#judgePace(text, chatId, this.#world.monotonic());
    const slow = this.#random() < 0.3 ? this.#random() * 3_000 : 0;
    if (slow > 0) {
      await new Promise<void>((resolve) => this.#world.after(slow, resolve));
      if (process.dead) return new Promise(() => {});
    }
    const dice = this.calm ? 0 : this.#random();
    if (dice < 0.6) return { state: "sent", messageId: this.#deliver(text, chatId, clientMsgId) };
    if (dice < 0.72) {
      const afterMs = this.#random() < 0.5 ? Math.round(this.#random() * 8_000) : undefined;
      if (afterMs !== undefined) this.#holds.set(chatId, this.#world.monotonic() + afterMs);
      return {
        state: "retry",
        reason: "rate-limited",
        detail: "later",
        ...(afterMs === undefined ? {} : { afterMs }),
      };
    }
    if (dice < 0.82) return { state: "failed", reason: "blocked", detail: "blocked" };
    if (dice < 0.9) this.#deliver(text, chatId, clientMsgId);
    if (dice < 0.97) return { state: "unknown", reason: "no-answer", detail: "lost" };
    throw new Error("the adapter broke");
  }

  #deliver(text: string, chatId: string, clientMsgId: string | undefined): string {
    const known = this.deliveries.findIndex((one) => clientMsgId !== undefined && one.clientMsgId === clientMsgId);
    if (known >= 0) return `P${known}`;
    if (this.deliveries.some((one) => one.text === text)) this.#complain("O2", `${text} was delivered twice`);
    this.deliveries.push({ text, chatId, clientMsgId });
    return `P${this.deliveries.length - 1}`;
  }

  #judgePace(text: string, chatId: string, now: number): void {
    const { directEveryMs, group, account } = simBudget;
    if (now < (this.#holds.get(chatId) ?? 0)) this.#complain("budget", `${text} left before the platform allowed it`);
    const inChat = this.#left.filter((one) => one.chatId === chatId);
    const gapMs = now - (inChat.at(-1)?.at ?? -Infinity);
    const isGroup = chatId.startsWith("group");
    if (gapMs < (isGroup ? group.everyMs : directEveryMs)) this.#complain("budget", `${text} left after ${gapMs} ms`);
    if (isGroup && inChat.filter(({ at }) => at > now - group.perMs).length >= group.count)
      this.#complain("budget", `${text} was too much for its group`);
    if (this.#left.filter(({ at }) => at > now - account.perMs).length >= account.count)
      this.#complain("budget", `${text} was too much for the account`);
    this.#left.push({ chatId, at: now });
  }
}
