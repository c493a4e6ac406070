/** What a turn costs on top of the model: through the gateway, and from the same provider directly. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { median, type Row } from "./measure.ts";
import { createHome, root, startGateway, token } from "./processes.ts";
import { Wire } from "./wire.ts";

const pieces = 20;
const maxAddedMs = 15;
/** Turns before the first counted one: the wire dialect is loaded by the first, compiled by the next. */
const warmUps = 5;

export async function turn({ quick }: { quick: boolean }): Promise<Row[]> {
  const provider = await startProvider();
  const models = {
    providers: {
      bench: { baseUrl: `${provider.url}/v1`, apiKey: "none", api: "openai-completions", models: [{ id: "fake" }] },
    },
  };
  const home = createHome({ models, agents: { defaults: { model: { primary: "bench/fake" } } } });
  const gateway = await startGateway(home);
  try {
    const wire = await Wire.connect(gateway.url, token);
    const direct: number[] = [];
    const first: number[] = [];
    const final: number[] = [];
    for (let round = 0; round < warmUps; round++) await askGateway(wire, `warm-${round}`);
    for (let round = 0; round < (quick ? 10 : 60); round++) {
      direct.push(await askDirectly(provider.url));
      const times = await askGateway(wire, `bench-${round}`);
      first.push(times.firstText);
      final.push(times.final);
    }
    const throughput = await together(wire, quick ? 16 : 160);
    await wire.close();
    const added = median(final) - median(direct);
    return [
      { metric: "turn to its final answer", gateway: median(final), floor: median(direct), unit: "ms" },
      {
        metric: "turn, added by the gateway",
        gateway: added,
        unit: "ms",
        budget: { text: `≤ ${maxAddedMs} ms`, met: added <= maxAddedMs },
      },
      { metric: "turn to its first text", gateway: median(first), unit: "ms" },
      { metric: "turns in 8 sessions", gateway: throughput, unit: "/s" },
    ];
  } finally {
    await gateway.stop();
    provider.stop();
    home.remove();
  }
}

interface Provider {
  url: string;
  stop(): void;
}

async function startProvider(): Promise<Provider> {
  const main = join(root, "test/support/fake-provider/main.ts");
  const child = spawn(process.execPath, [main, "--pieces", String(pieces)], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { url: line.toString().trim(), stop: () => void child.kill() };
}

async function askDirectly(url: string): Promise<number> {
  const startedAt = performance.now();
  const body = JSON.stringify({ model: "fake", stream: true, messages: [{ role: "user", content: "hello" }] });
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  await response.text();
  return performance.now() - startedAt;
}

async function askGateway(wire: Wire, idempotencyKey: string): Promise<{ firstText: number; final: number }> {
  const startedAt = performance.now();
  let firstText = Number.NaN;
  wire.onEvent = (text) => {
    if (Number.isNaN(firstText) && text.includes('"stream":"assistant"')) firstText = performance.now() - startedAt;
  };
  const answer = await wire.final("agent", { message: "hello", sessionKey: "agent:main:bench", idempotencyKey });
  const final = performance.now() - startedAt;
  wire.onEvent = undefined;
  if (!answer.ok || answer.payload?.status !== "ok")
    throw new Error(`the turn failed: ${JSON.stringify(answer).slice(0, 300)}`);
  return { firstText, final };
}

/** Turns per second with eight sessions busy at once. */
async function together(wire: Wire, count: number): Promise<number> {
  const startedAt = performance.now();
  const lane = async (session: number) => {
    for (let index = session; index < count; index += 8) {
      await wire.final("agent", {
        message: "hello",
        sessionKey: `agent:main:bench-${session}`,
        idempotencyKey: `many-${index}`,
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, session) => lane(session)));
  return (count / (performance.now() - startedAt)) * 1000;
}
