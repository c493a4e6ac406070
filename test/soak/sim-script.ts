/** The model and the tools of a simulation. What a call does is drawn from the seed, the message's key and how often that
 *  key was asked about, so it does not change when other actions are left out. They behave as badly as real ones: late,
 *  deaf to aborts, silent, endless. */
import { messageText } from "@openclaw/protocol";
import {
  callTools,
  fail,
  probeTool,
  reply,
  type Script,
} from "../../packages/gateway/src/features/agents/agents.fixture.ts";
import type { ModelEvent } from "../../packages/gateway/src/features/models/index.ts";
import { textResult, type Tool } from "../../packages/gateway/src/features/tools/index.ts";
import { seededRandom } from "../support/random.ts";

/** The process in which something happens. */
export interface Ground {
  /** The process was killed: what still runs of it is no part of the world any more. */
  readonly dead: boolean;
  sleep(ms: number): Promise<void>;
}

export interface Observer {
  /** Returns the key of the run that asks, undefined when nothing runs there. */
  modelAsked(sessionKey: string, lastUserKey: string | undefined): string | undefined;
  /** A model or a tool showed a sign of life. */
  sign(key: string): void;
  toolStarted(key: string, call: string, effects: boolean): void;
}

const keyPattern = /#(k\d+)#/g;
export const keysIn = (text: string): string[] => [...text.matchAll(keyPattern)].map((match) => match[1] as string);
/** How the reply to a message ends when it is complete. */
export const replyMark = (key: string): string => `answer to ${key}.`;

const never = () => new Promise<never>(() => {});
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );

function chance(seed: number, ...words: (string | number)[]): () => number {
  let hash = seed >>> 0;
  for (const char of words.join(" ")) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
  const random = seededRandom(hash);
  random();
  return random;
}

export function scriptOf(seed: number, ground: Ground, observer: Observer, asked: Map<string, number>): Script {
  return async function* (request, signal): AsyncGenerator<ModelEvent> {
    const user = request.messages.findLast((message) => message.role === "user");
    const key = observer.modelAsked(request.sessionKey, user && keysIn(messageText(user)).at(-1));
    if (key === undefined) return yield* fail("unknown", "nothing was asked");
    const nth = (asked.get(key) ?? 0) + 1;
    asked.set(key, nth);
    const random = chance(seed, key, nth);
    const sign = () => observer.sign(key);
    yield { type: "start", ref: "mock/one", provider: "mock", model: "one", attempt: 1 };
    if (random() < 0.5) await ground.sleep(Math.floor(random() * 4_000));
    sign();
    const roll = random();
    if (roll < 0.4 && nth <= 3) {
      const calls = Array.from({ length: 1 + Math.floor(random() * 2) }, (_, index) => ({
        name: random() < 0.5 ? "act" : "look",
        id: `${key}-${nth}-${index}`,
        args: { n: Math.floor(random() * 1_000) },
      }));
      return yield* callTools(...calls);
    }
    if (roll < 0.5) return yield* fail(random() < 0.5 ? "network" : "billing", "it broke");
    if (roll < 0.56) {
      // Never says a word; half of them do not even hear the abort.
      if (random() < 0.5) await never();
      await aborted(signal);
      await ground.sleep(Math.floor(random() * 20_000));
      yield { type: "text", delta: "too late" };
      return yield* fail("aborted");
    }
    if (roll < 0.6) {
      // Never stops talking, whatever it is told.
      for (let word = 0; word < 40; word++) {
        await ground.sleep(20_000);
        sign();
        yield { type: "text", delta: `word ${word} ` };
      }
      return yield* fail("unknown", "out of words");
    }
    const pieces = ["the ", ...Array.from({ length: Math.floor(random() * 4) }, () => "long "), replyMark(key)];
    for (const delta of pieces) {
      if (random() < 0.4) await ground.sleep(Math.floor(random() * 2_000));
      sign();
      yield { type: "text", delta };
    }
    yield { type: "done", message: reply([{ type: "text", text: pieces.join("") }]) };
  };
}

/** `look` has no effects, `act` has. */
export function toolsOf(seed: number, ground: Ground, observer: Observer): Tool[] {
  const make = (name: string, effects: boolean) =>
    probeTool(
      name,
      async (args, context) => {
        if (ground.dead) return never();
        const call = `${context.runId} ${name} ${(args as { n?: number }).n ?? 0}`;
        observer.toolStarted(context.runId, call, effects);
        const random = chance(seed, call);
        const roll = random();
        if (roll < 0.3) return textResult("done at once");
        if (roll < 0.4) throw new Error("the tool broke");
        if (roll < 0.47) return random() < 0.5 ? never() : aborted(context.signal).then(() => textResult("stopped"));
        await ground.sleep(Math.floor(random() * 8_000));
        observer.sign(context.runId);
        context.update(textResult("half"));
        await ground.sleep(Math.floor(random() * 8_000));
        observer.sign(context.runId);
        return textResult("done");
      },
      effects,
    );
  return [make("look", false), make("act", true)];
}
