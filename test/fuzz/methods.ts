/** Target F2: every advertised method of a whole gateway, with params made from its own schema and hostile texts in every place
 *  that takes one. Checked: each request gets an answer, and none of them is an internal error; the gateway lives. */
import { methods as declared } from "@openclaw/protocol/schema";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { Wire, WireFrame } from "../support/wire.ts";
import { jsonText, Random } from "./random.ts";

export interface MethodFuzzOptions {
  seed: number;
  /** Requests for each advertised method. */
  perMethod: number;
  /** Stop early, in milliseconds of real time. */
  budgetMs: number;
}

export interface MethodFuzzReport {
  seed: number;
  requests: number;
  succeeded: number;
  refused: number;
  methods: number;
  /** Methods that were answered with success at least once. */
  reached: number;
  /** What must not be: `method params → answer`. */
  faults: string[];
}

type Schema = Readonly<Record<string, unknown>>;

const hostileTexts = [
  "",
  " ",
  "a",
  "main",
  "agent:main:main",
  "agent:main:",
  "agent::",
  "global",
  "unknown",
  "../../etc/passwd",
  "/",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "🦞",
  "__proto__",
  "constructor",
  "toString",
  "%s%n%00",
  "' OR 1=1 --",
  "*",
  "(",
  "\\",
  "\n\r\t",
  "mock/mock-1",
  "mock/",
  "/model",
  "/new",
  "/reset now",
  "/think high",
  "/stop",
  "on",
  "off",
  "2026-11-31",
  "2026-02-28",
  "0",
  "-1",
  "1e309",
  "9".repeat(40),
  "x".repeat(300),
  "é".repeat(2_000),
  "{",
  "{}",
  '{"gateway":{"port":"x"}}',
  "{agents:{defaults:null}}",
  "[".repeat(200),
] as const;
const numbers = [0, 1, -1, 2, 0.5, 50, 1e9, -0, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308] as const;
/** A wait may be as long as its caller likes; here none is worth waiting for. */
const waits = new Set(["timeoutMs", "timeout", "restartDelayMs", "delayMs"]);

/** Ends the process or restarts the generation by design. */
const notHere = new Set(["update.run"]);

class Params {
  readonly #random: Random;
  readonly #known: string[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Remembers texts of an answer: keys, ids and hashes that later requests may name. */
  learn(value: unknown, depth = 0): void {
    if (depth > 4 || value === null || value === undefined) return;
    if (typeof value === "string") {
      if (value.length > 200) return;
      if (this.#known.length < 200) this.#known.push(value);
      else this.#known[this.#random.below(200)] = value;
    } else if (typeof value === "object") {
      for (const inner of Object.values(value).slice(0, 20)) this.learn(inner, depth + 1);
    }
  }

  of(schema: Schema | undefined, name = ""): unknown {
    if (!schema || this.#random.chance(0.01)) return JSON.parse(jsonText(this.#random)) as unknown;
    if (waits.has(name)) return this.#random.below(5);
    if ("const" in schema) return schema.const;
    if (Array.isArray(schema.enum)) return this.#one(schema.enum);
    const union = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(union)) return this.of(this.#one(union) as Schema, name);
    switch (schema.type) {
      case "object":
        return this.#object(schema);
      case "array":
        return Array.from({ length: this.#random.below(4) }, () => this.of(schema.items as Schema));
      case "string":
        return this.#text();
      case "integer":
      case "number":
        return this.#random.pick(numbers);
      case "boolean":
        return this.#random.chance(0.5);
      case "null":
        return null;
      default:
        return JSON.parse(jsonText(this.#random)) as unknown;
    }
  }

  #object(schema: Schema): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    const properties = (schema.properties ?? {}) as Record<string, Schema>;
    const required = new Set(Array.isArray(schema.required) ? (schema.required as string[]) : []);
    // Most requests name few fields, so that one bad one does not always hide the others.
    const chance = this.#random.pick([0.1, 0.3, 0.8]);
    for (const [name, inner] of Object.entries(properties)) {
      if (required.has(name) || waits.has(name) || this.#random.chance(chance)) made[name] = this.of(inner, name);
    }
    if (properties.message === undefined && Object.keys(properties).length === 0 && this.#random.chance(0.5))
      made[this.#text()] = JSON.parse(jsonText(this.#random));
    return made;
  }

  #text(): string {
    if (this.#known.length > 0 && this.#random.chance(0.4)) return this.#one(this.#known) as string;
    return this.#random.pick(hostileTexts);
  }

  #one(from: readonly unknown[]): unknown {
    return from[this.#random.below(from.length)];
  }
}

const isInternal = (frame: WireFrame): boolean =>
  frame.ok === false && (frame.error?.message ?? "").includes("internal error");

/** Answers, or says what happened instead. */
async function answerOf(wire: Wire, method: string, params: unknown): Promise<WireFrame | undefined> {
  return Promise.race([
    wire.request(method, params).catch(() => undefined),
    new Promise<undefined>((resolve) => setTimeout(resolve, 5_000, undefined).unref()),
  ]);
}

export async function fuzzMethods(options: MethodFuzzOptions): Promise<MethodFuzzReport> {
  const random = new Random(options.seed);
  const gateway = await openScriptedGateway();
  try {
    return await run(gateway, random, options);
  } finally {
    await gateway.stop();
  }
}

async function run(gateway: ScriptedGateway, random: Random, options: MethodFuzzOptions): Promise<MethodFuzzReport> {
  const params = new Params(random);
  const until = performance.now() + options.budgetMs;
  let wire = await gateway.connect();
  const features = wire.hello.features as { methods: string[] };
  const names = features.methods.filter((name) => !notHere.has(name));
  const report: MethodFuzzReport = {
    seed: options.seed,
    requests: 0,
    succeeded: 0,
    refused: 0,
    methods: names.length,
    reached: 0,
    faults: [],
  };
  const reached = new Set<string>();
  for (let round = 0; round < options.perMethod && performance.now() < until; round++) {
    for (const name of names) {
      if (wire.socket.readyState !== wire.socket.OPEN) wire = await gateway.connect();
      const sent = params.of(declared[name]?.params as Schema | undefined);
      const answer = await answerOf(wire, name, sent);
      report.requests++;
      if (answer?.ok) {
        report.succeeded++;
        reached.add(name);
        params.learn(answer.payload);
      } else report.refused++;
      const told = (what: string) => report.faults.push(`${name} ${JSON.stringify(sent).slice(0, 600)} → ${what}`);
      if (answer === undefined && wire.socket.readyState === wire.socket.OPEN) told("no answer within 5 s");
      else if (answer && isInternal(answer)) told(answer.error?.message ?? "");
      if (report.faults.length > 20) return report;
    }
    if (wire.frames.length > 2_000) wire.frames.length = 0;
  }
  report.reached = reached.size;
  // Whatever was configured, said or deleted: the next client is served.
  const after = await gateway.connect();
  const health = await after.request("health", {});
  if (!health.ok) report.faults.push(`health afterwards → ${health.error?.message}`);
  await after.close();
  return report;
}
