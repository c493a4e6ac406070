/** What the pages about the HTTP API tell people to type, typed: shell blocks with the real command line and curl, the JavaScript with
 *  the `openai` package, against a running gateway with a scripted model. Python is read by its parser, where there is one. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import JSON5 from "json5";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gate, openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import { launcher, type Home } from "../support/process.ts";
import { eventsOf, lastRequest, post, told, until } from "./http-client.ts";
import { hookToken, lastAsked, type Setting, startHooks } from "./hooks-set-up.ts";

const root = join(import.meta.dirname, "../..");

/** Blocks of a page in one language, in order. */
const blocks = (page: string, language: string): string[] =>
  [...readFileSync(join(root, "docs", page), "utf8").matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, found, text = ""]) => (found === language ? [text] : []),
  );

/** Runs a program as a person of this home would, with `openclaw` on the path. The port of the page becomes that of the gateway. */
function run(
  program: string,
  args: string[],
  text: string,
  at: { home: Home; port: number; env?: Record<string, string> },
) {
  const bin = join(at.home.path, "bin");
  mkdirSync(bin, { recursive: true });
  if (!existsSync(join(bin, "openclaw"))) symlinkSync(launcher, join(bin, "openclaw"));
  const env = { ...at.home.env, ...at.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (part: Buffer) => (stdout += part.toString("utf8")));
    child.stderr.on("data", (part: Buffer) => (stderr += part.toString("utf8")));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(text.replaceAll("18789", String(at.port)));
  });
}
const shell = (text: string, at: Parameters<typeof run>[3]) => run("bash", ["-eu", "-o", "pipefail"], text, at);

describe("docs/guides/openai-api.md", () => {
  const page = "guides/openai-api.md";
  let gateway: ScriptedGateway;
  beforeAll(async () => {
    gateway = await openScriptedGateway();
    gateway.script = () => ["Milk, ", "bread."];
  });
  afterAll(() => gateway.stop());
  const at = () => ({ home: gateway.home, port: gateway.port });
  const [switchOn = "", secret = "", curl = ""] = blocks(page, "sh");

  test("the shell blocks are those that these tests run", () => {
    expect(blocks(page, "sh")).toHaveLength(3);
    expect([switchOn, secret, curl].map((text) => /^(?:openclaw config set|export|curl)/.exec(text)?.[0])).toEqual([
      "openclaw config set",
      "export",
      "curl",
    ]);
  });

  test("the switches are set by the commands of the page, and count without a restart", async () => {
    expect((await post(gateway, "/v1/chat/completions", {})).status).toBe(404);
    const ran = await shell(switchOn, at());
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
    const { config } = gateway.host.gateway;
    const on = () => Object.values(config.current.gateway.http.endpoints).every(({ enabled }) => enabled);
    await until("both are on", on, 10_000);
  });

  test("curl, with the secret that the page reads out of the config, is answered whole and as a stream", async () => {
    const calls = curl.split(/\n(?=curl )/);
    expect(calls).toHaveLength(2);
    const whole = await shell(`${secret}\n${calls[0] ?? ""}`, at());
    expect([whole.code, JSON.parse(whole.stdout)]).toMatchObject([
      0,
      { object: "chat.completion", choices: [{ message: { content: "Milk, bread." } }] },
    ]);
    expect(told(lastRequest(gateway), "user")).toEqual(["What is on my list today?"]);
    const stream = await shell(`${secret}\n${calls[1] ?? ""}`, at());
    expect(stream.code).toBe(0);
    const events = eventsOf(stream.stdout);
    expect(events.map(({ event }) => event)).toContain("response.output_text.delta");
    expect(events.slice(-2).map(({ event, data }) => event ?? data)).toEqual(["response.completed", "[DONE]"]);
  });

  test("the JavaScript runs as it stands", async () => {
    const [script = "", ...others] = blocks(page, "js");
    expect(others).toEqual([]);
    const answers = ["Hello to you.", "Hello.", "Bonjour."];
    const asked: string[][] = [];
    gateway.script = (request) => {
      asked.push(told(request, "user"));
      return [answers[asked.length - 1] ?? ""];
    };
    const env = { OPENCLAW_GATEWAY_TOKEN: gateway.token };
    const ran = await run(process.execPath, ["--input-type=module", "-"], script, { ...at(), env });
    expect(ran).toEqual({ code: 0, stdout: "Hello to you.Bonjour.\n", stderr: "" });
    expect(asked).toEqual([["Hello"], ["Hello"], ["Hello", "And in French?"]]);
  });

  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  test.runIf(hasPython)("the Python is Python", () => {
    const found = blocks(page, "python");
    expect(found).toHaveLength(2);
    for (const input of found) {
      const parsed = spawnSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], { input });
      expect([parsed.status, parsed.stderr.toString()]).toEqual([0, ""]);
    }
  });

  test("the origin that the page allows for a front end in a browser may call, and no other", async () => {
    const [cors = ""] = blocks(page, "json5");
    const { gateway: part } = JSON5.parse<{ gateway: { http: { cors: { allowedOrigins: string[] } } } }>(cors);
    const open = { chatCompletions: { enabled: true } };
    const other = await openScriptedGateway({ config: { gateway: { http: { ...part.http, endpoints: open } } } });
    const call = (origin: string) =>
      post(other, "/v1/chat/completions", { messages: [{ role: "user", content: "hi" }] }, { origin });
    const [origin = ""] = part.http.cors.allowedOrigins;
    expect((await call(origin)).headers.get("access-control-allow-origin")).toBe(origin);
    expect((await call("https://evil.example")).status).toBe(403);
    await other.stop();
  });
});

describe("docs/guides/hooks.md", () => {
  const page = "guides/hooks.md";
  const [first = "", mappings = "", heartbeat = ""] = blocks(page, "json5").map((text) =>
    text.trimStart().startsWith("{") ? text : `{${text}}`,
  );
  const config = JSON5.parse<{ hooks: { token: string; enabled: boolean; path: string } }>(first);
  let setting: Setting;
  beforeAll(async () => {
    const { hooks } = JSON5.parse<{ hooks: Record<string, unknown> }>(mappings);
    setting = await startHooks({ ...config.hooks, token: hookToken, ...hooks });
  });
  afterAll(() => setting.world.stop());
  const at = () => ({
    home: setting.world.home,
    port: setting.world.gateway.port,
    env: { HOOK_TOKEN: hookToken, OPENCLAW_GATEWAY_TOKEN: setting.world.gateway.token },
  });
  const commands = blocks(page, "sh");

  test("the first lines of config are those of a gateway with webhooks", () => {
    expect(config.hooks).toEqual({ enabled: true, token: "${HOOK_TOKEN}", path: "/hooks" });
    expect(JSON5.parse(heartbeat)).toHaveProperty("agents.defaults.heartbeat.every");
    expect(commands).toHaveLength(3);
  });

  test("a note is taken", async () => {
    const ran = await shell(commands[0] ?? "", at());
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, '{"ok":true,"mode":"now"}', ""]);
  });

  test("a run is accepted before the model is asked, once for its key, and answers in the chat", async () => {
    const { fake } = setting.world;
    // A bot may write to those who wrote to it.
    fake.chats.message(fake.bot, 42, { text: "hi" });
    await fake.until(() => fake.chats.sent.length === 1);
    const held = gate();
    setting.world.script = async () => {
      await held.opened;
      return ["Looking."];
    };
    const runs = [await shell(commands[1] ?? "", at()), await shell(commands[1] ?? "", at())];
    const ids = runs.map(({ stdout }) => (JSON.parse(stdout) as { ok: boolean; runId: string }).runId);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
    held.open();
    await fake.until(() => fake.chats.sent.some(({ text }) => text === "Looking."));
    expect(fake.chats.sent.filter(({ text }) => text === "Looking.")).toHaveLength(1);
  });

  test("the rule of the page reads what the page says it reads", async () => {
    setting.world.script = () => ["ok"];
    const push = {
      source: "push",
      pusher: { name: "ann" },
      repository: { id: 7, full_name: "ann/pears" },
      commits: [{ message: "ripen" }],
    };
    const answer = await setting.post("/hooks/github", push);
    expect(answer.status).toBe(202);
    const { runId } = (await answer.json()) as { runId: string };
    await setting.wire.call("agent.wait", { runId, timeoutMs: 10_000 });
    await until("the model was asked", () => lastAsked(setting).includes("ann pushed to ann/pears: ripen"), 5_000);
  });

  test("one tool is run", async () => {
    const ran = await shell(commands[2] ?? "", at());
    expect([ran.code, ran.stderr, JSON.parse(ran.stdout)]).toMatchObject([
      0,
      "",
      { ok: true, result: { content: [{ type: "text" }] } },
    ]);
  });
});
