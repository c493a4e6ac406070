/** CANARY (reliability.md §4.10): more than two hundred secrets go into a real gateway process — every sensitive key, environment,
 *  `.env`, addresses, messages, tool output, wrong logins, refused configs, provider errors. None may come out in the log, on the
 *  console, in events and answers, in commands or in files that others read. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declared } from "../../packages/gateway/src/assembly/sections.ts";
import { documentSchema } from "../../packages/gateway/src/config/read.ts";
import { configFile, readText, saveText } from "../support/config-file.ts";
import { startFakeProvider, type FakeProvider, type FakeRequest, type Reply } from "../support/fake-provider/index.ts";
import { freePort, makeHome, runCli, startGateway, type GatewayProcess, type Home } from "../support/process.ts";
import { Wire } from "../support/wire.ts";
import { Canaries } from "./canaries.ts";
import { canaryHome, failingProviders } from "./canary-config.ts";
import { sensitivePaths, textPaths } from "./sensitive-paths.ts";

const canaries = new Canaries();
let home: Home;
let gateway: GatewayProcess;
let model: FakeProvider;
let script: (request: FakeRequest) => Reply = () => ["done"];
let token: string;
/** May do everything, and sees tool output: its events of the conversation are its own. */
let operator: Awaited<ReturnType<typeof Wire.connect>>;
/** Reads only, and takes part in no conversation. */
let observer: Wire;

beforeAll(async () => {
  model = await startFakeProvider({ script: (request) => script(request) });
  const { config, env, dotenv } = canaryHome(canaries, model.baseUrl("openai-completions"));
  home = makeHome(config, env);
  token = (config.gateway as { auth: { token: string } }).auth.token;
  writeFileSync(join(home.state, ".env"), dotenv, { mode: 0o600 });
  gateway = await startGateway(home, { args: ["--verbose", "--ws-log", "full"] });
  operator = await Wire.connect(gateway.url, {
    token,
    caps: ["tool-events", "tool-results"],
    client: { id: "gateway-client", mode: "backend" },
  });
  observer = await Wire.connect(gateway.url, { token, scopes: ["operator.read"] });
  unreachable = Promise.all(Array.from({ length: failingProviders }, (_, n) => turnOf(n)));
}, 30_000);
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
  home?.remove();
});

const status = () => JSON.parse(readFileSync(join(home.state, "status.json"), "utf8")) as { logFile: string };
const logText = () => readFileSync(status().logFile, "utf8");
/** Everything that leaves without being asked for by its owner. */
const sinks = () => `${gateway.output()}\n${logText()}\n${readFileSync(join(home.state, "status.json"), "utf8")}`;
const answerOf = async (wire: Wire, method: string, params: unknown) =>
  JSON.stringify(await wire.request(method, params));
/** Events beside the conversation. */
const notices = (wire: Wire) =>
  JSON.stringify(
    wire.frames.filter((frame) => frame.type === "event" && frame.event !== "chat" && frame.event !== "agent"),
  );

async function turn(
  reply: Reply | ((request: FakeRequest) => Reply),
  message = "go",
  session = `turn-${operator.frames.length}`,
): Promise<string> {
  script = typeof reply === "function" ? reply : () => reply;
  return JSON.stringify(
    await operator.final("agent", { message, sessionKey: session, idempotencyKey: `canary-${operator.frames.length}` }),
  );
}
/** Turns with providers that nobody answers for; they give up after a few seconds, beside the other tests. */
let unreachable: Promise<string[]>;
const turnOf = async (n: number): Promise<string> => {
  const sessionKey = `unreachable-${n}`;
  const patched = await answerOf(operator, "sessions.patch", { key: sessionKey, model: `p${n}/m` });
  return (
    patched + JSON.stringify(await operator.final("agent", { message: "go", sessionKey, idempotencyKey: sessionKey }))
  );
};
/** One tool call, then an ordinary end. */
const calls =
  (name: string, args: Record<string, unknown>) =>
  (request: FakeRequest): Reply =>
    request.raw.includes('"role":"tool"') ? ["done"] : [{ toolCall: { id: "t1", name, arguments: args } }];

test("every key the schema calls sensitive holds a canary", () => {
  const { config } = canaryHome(new Canaries(), "http://127.0.0.1:1");
  const present = new Set(textPaths(config, documentSchema(declared)));
  expect(sensitivePaths(documentSchema(declared)).filter((path) => !present.has(path))).toEqual([]);
});

describe("secrets do not leave", () => {
  test("through any method that reads, nor through its refusal", async () => {
    const { methods } = operator.hello.features as unknown as { methods: string[] };
    const reading = methods.filter((name) =>
      /^(health|status|last-heartbeat|system-presence|.*\.(get|list|status|schema|tail|cost|describe|catalog|preview|history|usage))$/.test(
        name,
      ),
    );
    expect(reading.length).toBeGreaterThan(15);
    for (const name of reading) {
      for (const params of [{}, { limit: 1_000 }, { sessionKey: "main" }, { agentId: "main" }])
        expect({ name, leaks: canaries.leaks(await answerOf(operator, name, params)) }).toEqual({ name, leaks: [] });
    }
  });

  test("through a turn whose tools print config, environment and files, and whose words are secret", async () => {
    const workspace = join(home.state, "workspace");
    mkdirSync(workspace, { recursive: true });
    const notes = join(workspace, "notes.txt");
    const stored = Array.from({ length: 4 }, (_, n) => canaries.fresh(`tool output ${n}`, n % 2 ? "odd" : "plain"));
    writeFileSync(
      notes,
      `password ${stored[0]}\nhttps://h/?key=${encodeURIComponent(stored[1] ?? "")}\n${Buffer.from(stored[2] ?? "").toString("base64")}\n`,
    );
    const print = `env; cat ${configFile(home)} ${join(home.state, ".env")} ${notes}; echo ${canaries.fresh("tool argument")} >&2; exit 3`;
    const ends = [
      await turn(calls("exec", { command: print }), `remember ${canaries.fresh("message", "odd")}`),
      await turn(calls("read", { path: notes })),
      await turn(calls("write", { path: join(workspace, "out.txt"), content: stored[3] ?? "" })),
      await turn(calls("edit", { path: notes, oldText: canaries.fresh("tool argument edit"), newText: "x" })),
      await turn(
        calls("web_fetch", {
          url: `http://me:${canaries.fresh("tool userinfo")}@127.0.0.1:1/?token=${canaries.fresh("tool query")}`,
        }),
      ),
      await turn(calls("nothing_of_the_kind", { secret: canaries.fresh("tool unknown") })),
      await turn(calls("gateway", { action: "config.get" })),
    ];
    expect(model.requests.length).toBeGreaterThan(10);
    expect(ends.flatMap((end) => canaries.leaks(end))).toEqual([]);
    // What a child of the gateway sees of its environment is in the tool's result: none of it is a secret.
    const printed = JSON.stringify(operator.frames.filter((frame) => frame.event === "agent"));
    expect(printed).toContain("TERM=dumb");
    expect(canaries.leaks(sinks())).toEqual([]);
    expect(canaries.leaks(notices(operator))).toEqual([]);
  });

  test("through what a provider says when it fails", async () => {
    const known = [...canaries.of("config models.providers"), ...canaries.of("environment")];
    const address = () => `https://api/?key=${canaries.fresh("provider address")}`;
    const words = (secret: string) => [
      `Incorrect API key provided: ${secret}`,
      `no such thing at ${address()}&auth=${encodeURIComponent(secret)}`,
      `header was Basic ${Buffer.from(`me:${secret}`).toString("base64")}`,
      JSON.stringify({ key: secret }),
    ];
    const ends: string[] = [];
    for (const [n, secret] of known.slice(0, 24).entries()) {
      const body = { error: { message: words(secret)[n % 4], type: `kind_${n}` } };
      ends.push(await turn({ status: [401, 400, 403, 404][n % 4] ?? 400, body }));
    }
    const page = `<html>${canaries.of("config")[0]} ${address()}</html>`;
    ends.push(await turn({ status: 403, body: page, headers: { "content-type": "text/html" } }));
    expect(ends.filter((end) => !end.includes('"status":"error"'))).toEqual([]);
    expect(ends.flatMap((end) => canaries.leaks(end))).toEqual([]);
    expect(canaries.leaks(sinks())).toEqual([]);
  });

  test("through refused configs, whoever sends them", async () => {
    const broken = (n: number): string[] => {
      const fresh = (what: string) => canaries.fresh(`refused config ${n} ${what}`);
      return [
        `{ gateway: { auth: { token: { nested: "${fresh("nested")}" } } } }`,
        `{ gateway: { auth: { mode: "${fresh("choice")}" } } }`,
        `{ gatewy: { token: "${fresh("unknown key")}" } }`,
        `{ channels: { telegram: { proxy: "ftp://u:${fresh("pattern")}@h", webhookUrl: "http://h/?token=${fresh("pattern query")}" } } }`,
        `{ gateway: { auth: { token: "${fresh("unterminated")}`,
        `{ models: { providers: { p0: { apiKey: ["${fresh("secret of wrong type")}"], baseUrl: ["${fresh("type")}"] } } } }`,
      ];
    };
    const before = readText(home);
    const { hash } = await operator.call<{ hash: string }>("config.get", {});
    const answers: string[] = [];
    const raws = broken(0);
    for (const raw of raws) answers.push(await answerOf(operator, "config.set", { raw, baseHash: hash }));
    for (const raw of broken(1).slice(0, 2))
      answers.push(await answerOf(operator, "config.patch", { raw, baseHash: hash }));
    for (const raw of broken(2).slice(3, 6))
      answers.push(await answerOf(operator, "config.apply", { raw, baseHash: hash, note: "none" }));
    expect(answers.filter((answer) => answer.includes('"ok":true'))).toEqual([]);
    expect(answers.flatMap((answer) => canaries.leaks(answer))).toEqual([]);
    expect(readText(home)).toBe(before);
    for (const raw of broken(3)) {
      saveText(home, raw);
      const told = async () =>
        JSON.stringify([await operator.request("status", {}), await operator.request("health", {})]);
      await expect.poll(async () => (await told()).includes("lastReloadError"), { timeout: 5_000 }).toBe(true);
      expect(canaries.leaks(await told())).toEqual([]);
      // `config.get` shows the value of a key that is no secret, whatever stands there.
      const shown = canaries.leaks(await answerOf(operator, "config.get", {}));
      expect(shown.filter((place) => !/choice|unknown key|3 type/u.test(place))).toEqual([]);
      saveText(home, before);
      await expect.poll(async () => (await told()).includes("lastReloadError"), { timeout: 5_000 }).toBe(false);
    }
    expect(canaries.leaks(sinks())).toEqual([]);
  }, 60_000);

  test("through wrong logins over sockets and HTTP", async () => {
    const fresh = (what: string, odd = true) => canaries.fresh(`login ${what}`, odd ? "odd" : "plain");
    const answers: string[] = [];
    const attempts = [
      { token: fresh("token") },
      { password: fresh("password") },
      { deviceToken: fresh("device token") },
      { token: fresh("both token"), password: fresh("both password") },
    ];
    for (const attempt of attempts)
      answers.push(
        await Wire.connect(gateway.url, attempt).then(
          () => "connected",
          (error: unknown) => String(error),
        ),
      );
    expect(answers.filter((answer) => !answer.includes("refused"))).toEqual([]);
    const plain = (what: string) => fresh(what, false);
    for (const path of [
      `/?token=${plain("query /")}`,
      `/ready?token=${plain("query /ready")}`,
      `/hooks/x?token=${plain("query /hooks")}`,
      `/v1/models?api_key=${plain("query /v1")}`,
      `/chat/${plain("path")}`,
    ]) {
      for (const headers of [
        {},
        { authorization: `Bearer ${plain(`bearer ${path}`)}` },
        { authorization: `Basic ${Buffer.from(`me:${fresh("basic")}`).toString("base64")}` },
        { "x-openclaw-token": plain(`header ${path}`), cookie: `token=${plain(`cookie ${path}`)}` },
      ]) {
        const response = await fetch(`${gateway.url.replace("ws", "http")}${path}`, { headers, redirect: "manual" });
        answers.push(`${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`);
      }
    }
    const upgrade = new Wire(`${gateway.url}/?token=${plain("upgrade query")}`, {
      headers: { authorization: `Bearer ${plain("upgrade bearer")}` },
    });
    await Promise.race([upgrade.closed, upgrade.event("connect.challenge")]);
    upgrade.terminate();
    const junk = await Wire.open(gateway.url);
    junk.sendText(`{"type":"req","token":"${plain("junk frame")}`);
    answers.push(JSON.stringify(await junk.closed), JSON.stringify(junk.frames));
    expect(answers.flatMap((answer) => canaries.leaks(answer))).toEqual([]);
    expect(canaries.leaks(sinks())).toEqual([]);
  });

  const commands = [
    "status",
    "status --all",
    "status --all --json",
    "status --deep --usage",
    "gateway status",
    "gateway status --deep --json",
    "health",
    "health --json",
    "doctor",
    "doctor --deep",
    "doctor --json",
    "logs --limit 5000",
    "logs --json --limit 5000",
    "models list",
    "models status",
    "models status --json",
    "config validate",
    "config validate --json",
    "config file",
    "config get logging --json",
    "config get no.such.key",
    "config diff",
    "config diff --json",
    "config history",
    "gateway call config.get",
    "gateway call status",
    "sessions",
  ];
  const printed = async (words: string) => {
    const { stdout, stderr } = await runCli(home, words.split(" "), {
      env: { OPENCLAW_GATEWAY_PORT: String(gateway.port) },
    });
    // A command that breaks down would show no secret either.
    expect(stdout + stderr, words).toMatch(/\S{2}/u);
    expect(stdout + stderr, words).not.toMatch(/(?:Reference|Type|Range)Error|internal error/u);
    return canaries.leaks(stdout + stderr);
  };

  test.each(commands)("through openclaw %s", async (words) => {
    expect(await printed(words)).toEqual([]);
  });

  test("through commands that are refused, or that change a secret", async () => {
    const fresh = (what: string) => canaries.fresh(`argument ${what}`);
    const lines = [
      ["config", "set", "gateway.auth.mode", fresh("choice")],
      ["config", "set", "models.providers.p0.models", fresh("type")],
      ["config", "set", "channels.telegram.proxy", `ftp://u:${fresh("pattern")}@h`],
      ["config", "set", "talk.apiKey", fresh("talk.apiKey")],
      ["config", "set", "talk.apiKey", fresh("talk.apiKey again"), "--json"],
      ["config", "unset", "talk.apiKey"],
      ["gateway", "call", "health", "--token", fresh("wrong token"), "--url", gateway.url],
      [
        "gateway",
        "call",
        "health",
        "--token",
        fresh("no gateway"),
        "--url",
        `ws://me:${fresh("userinfo")}@127.0.0.1:1/?token=${fresh("query")}`,
      ],
      ["status", "--all", "--url", `ws://127.0.0.1:1/?token=${fresh("status query")}`],
      ["gateway", "--port", String(gateway.port), "--token", fresh("second start")],
    ];
    for (const line of lines) {
      const { stdout, stderr } = await runCli(home, line);
      expect({ line: line.slice(0, 4), leaks: canaries.leaks(stdout + stderr) }).toEqual({
        line: line.slice(0, 4),
        leaks: [],
      });
    }
    expect(await printed("config diff")).toEqual([]);
    expect(canaries.leaks(sinks())).toEqual([]);
  }, 60_000);

  test("through providers whose address cannot be reached", async () => {
    const ends = await unreachable;
    expect(ends.filter((end) => !end.includes('"status":"error"'))).toEqual([]);
    expect(ends.flatMap((end) => canaries.leaks(end))).toEqual([]);
    expect(canaries.leaks(sinks())).toEqual([]);
  });

  test("to an operator who only reads", async () => {
    await observer.settled();
    expect(observer.frames.length).toBeGreaterThan(10);
    // The words of the conversation itself are what an operator may read; what tools printed and were given is not among them.
    expect(canaries.leaks(JSON.stringify(observer.frames)).filter((place) => place !== "message")).toEqual([]);
    expect(canaries.leaks(notices(observer))).toEqual([]);
    expect(canaries.leaks(notices(operator))).toEqual([]);
  });

  test("through a restart, its note, the files it leaves, and commands while no gateway runs", async () => {
    const { hash } = await operator.call<{ hash: string }>("config.get", {});
    const raw = `{ commands: { restart: true }, gateway: { nodes: { allowCommands: ["x"] } } }`;
    const patched = await operator.request("config.patch", { raw, baseHash: hash, restartDelayMs: 0, note: "back" });
    expect(patched.ok).toBe(true);
    await operator.closed;
    await expect.poll(() => gateway.output(), { timeout: 15_000 }).toContain("restarted; listening");
    expect(canaries.leaks(JSON.stringify(patched) + notices(operator))).toEqual([]);
    expect(await gateway.stop()).toBe(0);
    expect(canaries.leaks(sinks())).toEqual([]);
    for (const words of [
      "status --all",
      "status --all --json",
      "doctor",
      "doctor --json",
      "logs --limit 5000",
      "config diff",
      "config get logging --json",
      "gateway status",
    ])
      expect({ words, leaks: await printed(words) }).toEqual({ words, leaks: [] });
    const crashes = join(home.state, "crashes");
    const left = existsSync(crashes) ? readdirSync(crashes) : [];
    expect(left).toEqual([]);
  }, 60_000);

  test("through a start that is refused", async () => {
    const before = readText(home);
    for (const edit of [
      `"mode": "${canaries.fresh("refused start choice")}"`,
      `"mode": { "x": "${canaries.fresh("refused start type")}" }`,
      `"mode": "${canaries.fresh("refused start text")}`,
    ]) {
      saveText(
        home,
        before.replace(/"mode":\s*"local"/u, () => edit),
      );
      const { code, stdout, stderr } = await runCli(home, ["gateway", "--port", String(await freePort())]);
      expect(code).toBe(1);
      expect(stderr).toContain("Invalid config");
      expect(canaries.leaks(stdout + stderr)).toEqual([]);
      for (const words of ["status --all", "doctor", "config validate"])
        expect({ words, leaks: await printed(words) }).toEqual({ words, leaks: [] });
    }
    saveText(home, before);
  }, 60_000);

  test("and there were at least two hundred of them", () => {
    expect(canaries.count).toBeGreaterThanOrEqual(200);
  });
});
