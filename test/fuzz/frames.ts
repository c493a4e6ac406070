/** Target F1: frames of any kind against a real server over real sockets, before and after hello-ok. Checked all along: the
 *  process lives, every well-formed request gets exactly one answer or its socket closes with a documented code, nothing
 *  reaches a prototype, memory stays flat. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { GatewayError } from "@openclaw/protocol";
import {
  connectParams,
  startRig,
  type Rig,
  type TestClient,
} from "../../packages/gateway/src/server/server.fixture.ts";
import { jsonText, Random } from "./random.ts";

export interface FuzzReport {
  seed: number;
  framesAfterHello: number;
  framesBeforeHello: number;
  answers: number;
  closes: Record<string, number>;
  heapGrowthBytes: number;
}

export interface FuzzOptions {
  seed: number;
  /** Frames sent on open connections. */
  framesAfterHello: number;
  /** Connections that send hostile frames first. */
  framesBeforeHello: number;
}

const documentedCodes = new Set([1000, 1002, 1007, 1008, 1009]);
const methods = [
  "health",
  "status",
  "models.list",
  "sessions.list",
  "chat.send",
  "chat.abort",
  "agent",
  "agent.wait",
  "system-presence",
  "device.pair.list",
  "connect",
  "nope",
  "__proto__",
  "constructor",
  "toString",
  "skills.bins",
  "config.get",
  "",
] as const;

const handlers = {
  health: () => ({ ok: true }),
  status: () => Promise.resolve({ fine: true }),
  "models.list": () => {
    throw new GatewayError("conflict", "not now");
  },
  "sessions.list": () => Promise.reject(new Error("a bug")),
  "chat.send": (params: unknown) => params,
  "chat.abort": async (params: unknown) => params,
  agent: () => undefined,
  "agent.wait": () => ({ status: "ok" }),
  "system-presence": () => [],
  "device.pair.list": () => ({ pending: [], paired: [] }),
  "skills.bins": () => ({ bins: [] }),
};

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** A request with an id of its own, which must be answered. */
function request(random: Random, id: string): string {
  const params = random.chance(0.8) ? `,"params":${jsonText(random)}` : "";
  return `{"type":"req","id":"${id}","method":${JSON.stringify(random.pick(methods.slice(0, -1) as unknown as [string]))}${params}}`;
}

/** Anything; `undefined` id: no promise of an answer. */
function hostile(random: Random): string | Buffer {
  const whole = request(random, "broken");
  switch (random.below(9)) {
    case 0:
      return jsonText(random);
    case 1:
      return `{"type":${jsonText(random, 4)},"id":${jsonText(random, 4)},"method":${jsonText(random, 4)}}`;
    case 2:
      return `{"type":"req","id":"broken","method":"health","params":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
    case 3:
      return `{"type":"req","id":"broken","method":"health","params":[${"0,".repeat(60_000)}0]}`;
    case 4:
      return whole.slice(0, random.below(whole.length));
    case 5: {
      const bytes = Buffer.from(whole);
      bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    }
    case 6:
      return `{"type":"event","event":"tick","payload":${jsonText(random)}}`;
    case 7:
      return `${whole.slice(0, -1)},"extra":1}`;
    default:
      return "";
  }
}

class Run {
  readonly #rig: Rig;
  readonly #random: Random;
  readonly report: FuzzReport;
  #ids = 0;

  constructor(rig: Rig, options: FuzzOptions) {
    this.#rig = rig;
    this.#random = new Random(options.seed);
    this.report = {
      seed: options.seed,
      framesAfterHello: 0,
      framesBeforeHello: 0,
      answers: 0,
      closes: {},
      heapGrowthBytes: 0,
    };
  }

  /** Up to `count` frames on one connection; ends early when the server closes it. */
  async burst(count: number): Promise<void> {
    const client = await this.#rig.hello();
    let closed = false;
    const gone = client.closed.then(({ code, reason }) => {
      closed = true;
      this.#noteClose(code, reason);
    });
    const expected = new Set<string>();
    for (let i = 0; i < count && client.ws.readyState === client.ws.OPEN; i++) {
      this.report.framesAfterHello++;
      if (this.#random.chance(0.97)) {
        const id = `q${++this.#ids}`;
        expected.add(id);
        client.send(request(this.#random, id));
      } else client.send(hostile(this.#random));
      if (i % 64 === 63) await Promise.race([gone, answered(client)]);
    }
    if (!closed) await Promise.race([gone, answered(client)]);
    if (client.ws.readyState !== client.ws.OPEN) await gone;
    this.#checkLedger(client, expected, closed);
    client.ws.terminate();
    await gone;
  }

  /** One connection whose first frame is not what it should be. */
  async knock(): Promise<void> {
    this.report.framesBeforeHello++;
    const client = await this.#rig.connect();
    const params = { ...connectParams(), [`x${this.#random.below(3)}`]: 1 };
    const bad = this.#random.chance(0.3)
      ? `{"type":"req","id":"c","method":"connect","params":${this.#random.chance(0.5) ? JSON.stringify(params) : jsonText(this.#random)}}`
      : hostile(this.#random);
    client.send(bad);
    const { code, reason } = await client.closed;
    this.#noteClose(code, reason);
    if (client.frames.some((frame) => frame.ok === true)) throw new Error(`let in by ${String(bad).slice(0, 200)}`);
  }

  #noteClose(code: number, reason: string): void {
    if (code !== 1006 && code !== 1005 && !documentedCodes.has(code))
      throw new Error(`undocumented close ${code} ${reason}`);
    const name = `${code} ${reason.slice(0, 40)}`;
    this.report.closes[name] = (this.report.closes[name] ?? 0) + 1;
  }

  #checkLedger(client: TestClient, expected: Set<string>, closed: boolean): void {
    const seen = new Map<string, number>();
    for (const { type, id } of client.frames)
      if (type === "res" && id?.startsWith("q")) seen.set(id, (seen.get(id) ?? 0) + 1);
    this.report.answers += seen.size;
    for (const [id, times] of seen) if (times !== 1) throw new Error(`${id} was answered ${times} times`);
    if (closed) return;
    for (const id of expected) if (!seen.has(id)) throw new Error(`${id} was never answered`);
  }
}

/** Resolves when everything sent so far is answered: calls are independent, so a round of turns is waited for as well. */
async function answered(client: TestClient): Promise<void> {
  await new Promise<void>((resolve) => {
    if (client.ws.readyState !== client.ws.OPEN) return resolve();
    client.ws.once("pong", () => resolve());
    client.ws.once("close", () => resolve());
    client.ws.ping();
  });
  if (client.ws.readyState === client.ws.OPEN) await client.request("health").catch(() => undefined);
}

export async function fuzzFrames(options: FuzzOptions): Promise<FuzzReport> {
  const rig = await startRig({ handlers });
  const run = new Run(rig, options);
  let rejections = 0;
  const rejected = () => void rejections++;
  process.on("unhandledRejection", rejected);
  try {
    await run.burst(200);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    while (run.report.framesAfterHello < options.framesAfterHello) {
      await run.burst(Math.min(2_000, options.framesAfterHello - run.report.framesAfterHello));
      rig.lines.length = 0;
      rig.forget();
      await rig.world.clock.advance(1_000);
    }
    while (run.report.framesBeforeHello < options.framesBeforeHello) {
      await Promise.all(Array.from({ length: 16 }, () => run.knock()));
      rig.lines.length = 0;
      rig.forget();
      await rig.world.clock.advance(1_000);
    }
    collectGarbage();
    run.report.heapGrowthBytes = process.memoryUsage().heapUsed - before;
    if (rejections > 0) throw new Error(`${rejections} unhandled rejections`);
    for (const key of ["x", "a", "text", "polluted"]) {
      if (key in {}) throw new Error(`Object.prototype has a key '${key}'`);
    }
    return run.report;
  } finally {
    process.removeListener("unhandledRejection", rejected);
    await rig.close();
  }
}
