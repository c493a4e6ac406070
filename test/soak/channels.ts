/** CRASH for channels (reliability.md §4.1, C1 to C3): people on both platforms send numbered messages while the gateway is killed
 *  again and again, half the times at a random instant and half at a named point of its code. Every message acknowledged to its
 *  platform is stored once and becomes one turn; every answer arrives at most once, and exactly once unless its fate is unknown;
 *  the order of each chat is kept. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, startGateway } from "../support/process.ts";
import { seededRandom } from "../support/random.ts";
import { slowness } from "./calibrate.ts";
import { type Crowd, type Numbered, telegramCrowd, whatsappCrowd } from "./channels-crowd.ts";
import { judge } from "./channels-judge.ts";
import { readTables } from "./channels-tables.ts";
import { atRest, type ChannelsWorld, linkWhatsApp, openWorld } from "./channels-world.ts";
import { startToDie } from "./crash.ts";
import { Lag } from "./lag.ts";

export interface ChannelsOptions {
  kills: number;
  messages: number;
  seed: number;
  whatsapp?: boolean;
  onCycle?: (cycle: number, sent: number) => void;
  /** A folder to be made, with what is left at the end and what WhatsApp saw. Gateways log at debug level then. */
  keep?: string;
}

export interface ChannelsReport {
  programme: "channels";
  seed: number;
  kills: number;
  n: number;
  answered: number;
  unknown: number;
  /** Requests for a model beyond one per message: turns that a kill interrupted. */
  attemptsMore: number;
  inFlightAtKills: number;
  diedAtPoint: Record<string, number>;
  violations: string[];
}

/** Where a process may die, and the most times it passes there in the life of one. */
const points: readonly { name: string; most: number; platform?: Numbered["platform"] }[] = [
  { name: "inbound.after-commit", most: 3 },
  { name: "keys.after-write", most: 12, platform: "whatsapp" },
  { name: "outbox.after-attempting", most: 10 },
  { name: "outbox.after-provider", most: 10 },
  { name: "run.before-final", most: 10 },
  { name: "run.after-accept", most: 10 },
  { name: "inbound.before-commit", most: 3 },
];

const people = { telegram: 60, whatsapp: 8 };
/** Of the messages on Telegram: budgets let 30 answers a second leave. The others are answered with silence. */
const telegramAnswers = 0.4;
const whatsappShare = 0.25;
/** A process that never comes to its point is killed after this. */
const maxLifeAtPointMs = 3_000;
const maxLifeMs = 1_500;
/** Part of the messages that is sent while a process lives or is away; the rest goes to the last one. */
const killedShare = 0.9;

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

export async function channels(options: ChannelsOptions): Promise<ChannelsReport> {
  const random = seededRandom(options.seed);
  const factor = slowness();
  const messages = new Map<number, Numbered>();
  const world = await openWorld({
    random,
    silent: (n) => messages.get(n)?.silent ?? false,
    whatsapp: options.whatsapp ?? false,
    debug: options.keep !== undefined,
  });
  const lag = new Lag();
  try {
    return await run(options, world, messages, random, factor, lag);
  } finally {
    lag.stop();
    await world.close();
  }
}

async function run(
  options: ChannelsOptions,
  world: ChannelsWorld,
  messages: Map<number, Numbered>,
  random: () => number,
  factor: number,
  lag: Lag,
): Promise<ChannelsReport> {
  const { home, telegram, whatsapp } = world;
  const port = await freePort();
  const crowds: Crowd[] = [telegramCrowd(telegram, people.telegram)];
  const violations: string[] = [];
  if (whatsapp) {
    crowds.push(await whatsappCrowd(whatsapp, people.whatsapp));
    const gateway = await startGateway(home, { port });
    await linkWhatsApp(gateway.url, whatsapp);
    if ((await gateway.stop()) !== 0) violations.push("the gateway did not stop with 0 after linking");
  }
  // One message in two seconds may leave there, and a process lives a little less.
  const whatsappAnswers = (0.6 * options.kills) / (options.messages * whatsappShare);
  const say = async () => {
    const n = messages.size + 1;
    const crowd = crowds[random() < whatsappShare ? crowds.length - 1 : 0];
    if (!crowd) return;
    const { platform } = crowd;
    const share = platform === "telegram" ? telegramAnswers : whatsappAnswers;
    const entry = { n, platform, chat: "", silent: random() >= share };
    messages.set(n, entry);
    entry.chat = await crowd.say(n, Math.floor(random() * 1_000));
  };
  const deaths: { at: number; lagMs: number }[] = [];
  const died = () => deaths.push({ at: Date.now(), lagMs: lag.worst });
  const inFlight = new Map<string, number>();
  const diedAtPoint: Record<string, number> = {};
  const usable = points.filter(
    ({ platform }) => platform === undefined || crowds.some((one) => one.platform === platform),
  );
  for (let cycle = 0; cycle < options.kills; cycle++) {
    world.life = cycle;
    const due = Math.floor((options.messages * killedShare * (cycle + 1)) / options.kills);
    // Some wait on the platform when the process starts.
    const waiting = messages.size + Math.floor((due - messages.size) / 3);
    while (messages.size < waiting) await say();
    const { name: point, most } = usable[Math.floor(cycle / 2) % usable.length] ?? { name: "", most: 1 };
    const atPoint = cycle % 2 === 1;
    const gateway = atPoint
      ? await startToDie(home, port, point, 1 + Math.floor(random() * most))
      : await startGateway(home, { port });
    if (gateway) {
      const lifeMs = atPoint ? maxLifeAtPointMs * factor : 50 + random() * maxLifeMs;
      const life = pause(lifeMs);
      const gone = { yes: false };
      void gateway.exited.then(() => (gone.yes = true));
      const gapMs = Math.min(lifeMs, maxLifeMs) / Math.max(1, due - messages.size);
      const talk = (async () => {
        while (messages.size < due && !gone.yes) {
          await say();
          await pause(gapMs * 2 * random());
        }
      })();
      if ((await Promise.race([gateway.exited, life])) !== undefined)
        diedAtPoint[point] = (diedAtPoint[point] ?? 0) + 1;
      gateway.kill("SIGKILL");
      await gateway.exited;
      died();
      await talk;
    } else {
      diedAtPoint[point] = (diedAtPoint[point] ?? 0) + 1;
      died();
    }
    for (const { platform, state } of readTables(home.state).outbox)
      if (state === "attempting") inFlight.set(platform, (inFlight.get(platform) ?? 0) + 1);
    options.onCycle?.(cycle + 1, messages.size);
  }
  world.life = options.kills;
  const last = await startGateway(home, { port });
  while (messages.size < options.messages) await say();
  try {
    // What waits on WhatsApp leaves one in two seconds, and there is about one answer for each kill.
    await atRest(last.url, world, 120_000 * factor + options.kills * 2_500);
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
  }
  const code = await last.stop();
  if (code !== 0) violations.push(`the last stop ended with ${code}`);
  const tables = readTables(home.state);
  const ledgers = new Map(
    await Promise.all(crowds.map(async (crowd) => [crowd.platform, await crowd.ledger()] as const)),
  );
  if (options.keep !== undefined) {
    cpSync(home.path, options.keep, { recursive: true });
    writeFileSync(join(options.keep, "whatsapp.json"), JSON.stringify(await whatsapp?.ledger(), null, 1));
  }
  const { asked, odd } = world;
  violations.push(...judge({ messages, ledgers, asked, odd, tables, deaths, inFlight, storeWithinMs: 1_000 * factor }));
  return {
    programme: "channels",
    seed: options.seed,
    kills: options.kills,
    n: messages.size,
    answered: [...ledgers.values()].reduce((sum, { said }) => sum + said.length, 0),
    unknown: tables.outbox.filter(({ state }) => state === "unknown").length,
    attemptsMore: asked.length - new Set(asked.map(({ n }) => n)).size,
    inFlightAtKills: [...inFlight.values()].reduce((sum, n) => sum + n, 0),
    diedAtPoint,
    violations,
  };
}
