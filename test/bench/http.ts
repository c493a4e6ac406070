/** What `/v1/chat/completions` costs over calling the provider directly: added time of a fresh session, completions per second, and
 *  memory over many requests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { median, rate, residentMb, type Row } from "./measure.ts";
import { createHome, root, startGateway, token } from "./processes.ts";

const maxAddedMs = 15;
const minPerSecond = 100;
const maxGrownMb = 15;
const concurrency = 8;
const warmUps = 40;

export async function http({ quick }: { quick: boolean }): Promise<Row[]> {
  return withProvider(async (provider, gateway) => {
    for (let round = 0; round < warmUps; round++) await complete(gateway.url);
    const direct: number[] = [];
    const whole: number[] = [];
    const first: number[] = [];
    for (let round = 0; round < (quick ? 20 : 100); round++) {
      direct.push((await complete(provider, "fake")).ms);
      whole.push((await complete(gateway.url)).ms);
      first.push((await complete(gateway.url, "openclaw", true)).firstMs);
    }
    const perSecond = await rate(quick ? 200 : 1_000, concurrency, () => complete(gateway.url));
    const floor = await rate(quick ? 200 : 1_000, concurrency, () => complete(provider, "fake"));
    const grown = await growth(gateway.url, gateway.pid, quick ? 1_000 : 3_000);
    const added = median(whole) - median(direct);
    return [
      { metric: "chat completion, fresh session", gateway: median(whole), floor: median(direct), unit: "ms" },
      {
        metric: "chat completion, added by the gateway",
        gateway: added,
        unit: "ms",
        budget: { text: `≤ ${maxAddedMs} ms`, met: added <= maxAddedMs },
      },
      { metric: "chat completion to its first byte", gateway: median(first), unit: "ms" },
      {
        metric: "chat completions, 8 at once",
        gateway: perSecond,
        floor,
        unit: "/s",
        budget: { text: `≥ ${minPerSecond}/s`, met: perSecond >= minPerSecond },
      },
      {
        metric: "memory grown over 3,000 completions",
        gateway: grown,
        unit: "MB",
        budget: { text: `≤ ${maxGrownMb} MB`, met: grown <= maxGrownMb },
      },
    ];
  });
}

/** Starts both processes, runs `body`, ends them whatever happens. */
export async function withProvider<T>(
  body: (provider: string, gateway: { url: string; pid: number }) => Promise<T>,
): Promise<T> {
  const main = join(root, "test/support/fake-provider/main.ts");
  const child = spawn(process.execPath, [main, "--pieces", "20"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const provider = line.toString().trim();
  const models = {
    providers: {
      bench: { baseUrl: `${provider}/v1`, apiKey: "none", api: "openai-completions", models: [{ id: "fake" }] },
    },
  };
  const home = createHome({
    gateway: {
      mode: "local",
      auth: { mode: "token", token },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    models,
    agents: { defaults: { model: { primary: "bench/fake" }, maxConcurrent: concurrency } },
  });
  const gateway = await startGateway(home);
  try {
    return await body(provider, { url: `http://127.0.0.1:${gateway.port}`, pid: gateway.pid });
  } finally {
    await gateway.stop();
    child.kill();
    home.remove();
    agent.destroy();
  }
}

/** Highest resident memory of the second half of `count` requests above that of the first, in MB: what a leak adds, and a heap
 *  that has found its size does not. */
export async function growth(url: string, pid: number, count: number): Promise<number> {
  const peaks = [0, 0];
  let done = 0;
  await rate(count, concurrency, async (index) => {
    await complete(url, "openclaw", index % 2 === 0);
    const half = ++done <= count / 2 ? 0 : 1;
    if (done % 100 === 0) peaks[half] = Math.max(peaks[half] ?? 0, residentMb(pid));
  });
  return (peaks[1] ?? 0) - (peaks[0] ?? 0);
}

const agent = new Agent({ keepAlive: true, maxSockets: concurrency });

/** One completion over a kept connection. Throws unless it is whole and well. */
export function complete(
  url: string,
  model = "openclaw",
  stream = model === "fake",
): Promise<{ ms: number; firstMs: number }> {
  const body = JSON.stringify({ model, stream, messages: [{ role: "user", content: "hello" }] });
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/v1/chat/completions`,
      {
        agent,
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        },
      },
      (response) => {
        const firstMs = performance.now() - startedAt;
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          const well = response.statusCode === 200 && (stream ? text.includes("[DONE]") : text.includes('"stop"'));
          if (well) resolve({ ms: performance.now() - startedAt, firstMs });
          else reject(new Error(`the completion failed: ${response.statusCode} ${text.slice(0, 200)}`));
        });
        response.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}
