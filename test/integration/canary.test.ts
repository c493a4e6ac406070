/** CANARY, the short form (reliability.md §4.10): forty secrets go in through config, environment, tool output, addresses and
 *  errors; none may come out in the log, in answers, in `status --all`, in doctor's report or in crash records. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { handleFaults } from "../../packages/gateway/src/assembly/faults.ts";
import { cliArgs } from "../../packages/gateway/src/cli/fake-terminal.ts";
import { startFakeProvider, type FakeProvider, type FakeRequest, type Reply } from "../support/fake-provider/index.ts";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import type { Wire } from "../support/wire.ts";

const canary = (n: number): string => `canary/${String(n).padStart(2, "0")}+${"q7Zx"}"w${n * 7919}kLmN`;
const count = 40;
const canaries = Array.from({ length: count }, (_, n) => canary(n));
let next = 0;
const fresh = (): string => canaries[next++] ?? "";

/** Every encoding in which a secret may travel. */
const forms = (secret: string): string[] => {
  const bytes = Buffer.from(secret);
  const inside = [0, 1, 2].map((pad) =>
    Buffer.concat([Buffer.alloc(pad), bytes])
      .toString("base64")
      .slice(pad === 0 ? 0 : 4, -8),
  );
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString("base64url").slice(0, -2),
    ...inside,
  ];
};
const leaks = (text: string): string[] =>
  canaries.filter((secret) => forms(secret).some((form) => text.includes(form)));

const password = "the-password-of-the-test";
let gateway: TestGateway;
let model: FakeProvider;
let script: (request: FakeRequest) => Reply = () => ["ok"];
let wire: Wire & { hello: Record<string, unknown> };
let environment: Record<string, string>;

beforeAll(async () => {
  environment = Object.fromEntries(
    [
      "OPENAI_API_KEY",
      "ANTHROPIC_API_KEY",
      "GEMINI_API_KEY",
      "OPENROUTER_API_KEY",
      "MY_SERVICE_TOKEN",
      "DB_PASSWORD",
      "WEBHOOK_SECRET",
      "TELEGRAM_BOT_TOKEN",
      "SMTP_PASSWD",
      "DEPLOY_KEY",
      ...Array.from({ length: 13 }, (_, n) => `SERVICE_${n}_TOKEN`),
    ].map((name) => [name, fresh()]),
  );
  const provider = () => ({
    baseUrl: "http://127.0.0.1:1/v1",
    apiKey: fresh(),
    headers: { "X-Auth": fresh() },
    api: "openai-completions",
    models: [],
  });
  model = await startFakeProvider({ script: (request) => script(request) });
  const mock = {
    baseUrl: model.baseUrl("openai-completions"),
    apiKey: fresh(),
    api: "openai-completions",
    models: [{ id: "mock-1", name: "Mock", contextWindow: 200_000, maxTokens: 8_000 }],
  };
  gateway = await openGateway({
    env: environment,
    config: {
      gateway: {
        auth: { mode: "token", token: "test-token-0123456789abcdef", password },
        remote: { token: fresh(), password: fresh() },
      },
      env: { vars: { INLINE_API_KEY: fresh(), INLINE_TOKEN: fresh() } },
      channels: { telegram: { enabled: false, botToken: fresh(), webhookSecret: fresh() } },
      hooks: { token: fresh() },
      talk: { apiKey: fresh() },
      skills: { entries: { one: { apiKey: fresh(), env: { ONE_TOKEN: fresh() } } } },
      models: { providers: { mock, first: provider(), second: provider(), third: provider() } },
      agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
    },
  });
  wire = await gateway.connect({ caps: ["tool-events"], client: { id: "gateway-client", mode: "backend" } });
});
afterAll(async () => {
  await wire?.close();
  await gateway?.stop();
  await model?.close();
});

const logText = async (): Promise<string> => {
  gateway.host.flushLog();
  await new Promise((resolve) => setImmediate(resolve));
  const file = gateway.host.logFile();
  return readFileSync(file, "utf8");
};

describe("forty secrets", () => {
  test("do not leave through any method that reads", async () => {
    const { methods } = wire.hello.features as { methods: string[] };
    const reading = methods.filter((name) =>
      /^(health|status|last-heartbeat|system-presence|.*\.(get|list|status|schema|tail|cost|describe|catalog))$/.test(
        name,
      ),
    );
    expect(reading.length).toBeGreaterThan(10);
    const answers: string[] = [];
    for (const name of reading) {
      // A refusal is an answer too, and must not tell more.
      const answer = await wire.call(name, {}).catch((error: unknown) => String(error));
      answers.push(`${name}: ${JSON.stringify(answer)}`);
    }
    expect(answers.flatMap((answer) => leaks(answer).map((secret) => `${answer.split(":")[0]}: ${secret}`))).toEqual(
      [],
    );
  });

  test("do not reach the log through messages, fields, addresses, errors and their causes", async () => {
    const { log } = gateway.host;
    for (const secret of canaries.slice(0, next)) {
      log.info(`text ${secret}`, {
        secret,
        nested: { list: [secret] },
        url: `https://h/?q=${encodeURIComponent(secret)}`,
      });
      log.warn("header", { header: `Basic ${Buffer.from(`me:${secret}`).toString("base64")}` });
      log.error("failed", { error: new Error("outer", { cause: new Error(`inner ${secret}`) }) });
      log.debug(JSON.stringify({ secret }));
    }
    await expect.poll(logText).toContain("caused by");
    expect(leaks(await logText())).toEqual([]);
  });

  test("do not reach the log through a turn whose tool prints them and whose provider repeats them in its error", async () => {
    const [first = "", second = ""] = Object.values(environment);
    script = (request) =>
      request.raw.includes('"role":"tool"')
        ? {
            status: 400,
            body: {
              error: {
                message: `bad key ${second} for https://api/?key=${encodeURIComponent(first)}`,
                type: "invalid_request_error",
              },
            },
          }
        : [{ toolCall: { id: "t1", name: "exec", arguments: { command: `printf %s '${first}'` } } }];
    const final = await wire.final("agent", { message: "go", sessionKey: "canary", idempotencyKey: "canary-1" });
    expect(leaks(JSON.stringify(final))).toEqual([]);
    expect(leaks(await logText())).toEqual([]);
  });

  test("do not stand in a crash record", () => {
    let crashed = false;
    const { log, state, redactor, world } = gateway.host;
    const before = process.listeners("uncaughtException");
    const remove = handleFaults({ log, state, redactor, world, version: "test", crash: () => void (crashed = true) });
    const [added] = process.listeners("uncaughtException").filter((listener) => !before.includes(listener));
    added?.(new Error(`boom ${canaries[0]}`, { cause: new Error(canaries[12] ?? "") }), "uncaughtException");
    remove();
    expect(crashed).toBe(true);
    const records = readdirSync(join(state, "crashes")).map((name) =>
      readFileSync(join(state, "crashes", name), "utf8"),
    );
    expect(records.join("\n")).toContain("boom");
    expect(leaks(records.join("\n"))).toEqual([]);
  });

  test.each([
    "status --all",
    "status --all --json",
    "status --deep --usage",
    "gateway status",
    "gateway status --json",
    "doctor",
    "doctor --json",
    "logs --limit 5000",
    "logs --json --limit 5000",
    "health --json",
  ])("are not printed by %s", async (words) => {
    const { home, port } = gateway;
    const env = {
      ...environment,
      OPENCLAW_STATE_DIR: home.state,
      OPENCLAW_GATEWAY_PORT: String(port),
      OPENCLAW_GATEWAY_TOKEN: gateway.token,
    };
    const { out, err } = await cliArgs(words.split(" "), { env: { HOME: home.path, ...env } });
    expect(`${out}${err}`.length).toBeGreaterThan(20);
    expect(leaks(out + err)).toEqual([]);
  });

  test("were all used, and none stands in the files that commands read", () => {
    expect(next).toBe(count);
    const status = readFileSync(join(gateway.host.state, "status.json"), "utf8");
    expect(leaks(status)).toEqual([]);
  });
});
