/** An agent, a person in a chat and a client look after the gateway they talk to: the `gateway` tool, /restart, /config and
 *  `update.run`, through real turns. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { FakeRequest } from "../support/fake-provider/index.ts";
import { token } from "../support/process.ts";
import type { Wire } from "../support/wire.ts";

let gateway: ScriptedGateway;
afterEach(() => gateway.stop());

const canary = "canary-7f3a9c5e21d04b68";
const open = async (commands: Record<string, unknown> = {}) => {
  gateway = await openScriptedGateway({
    config: { gateway: { mode: "local", auth: { token } }, commands, talk: { apiKey: canary } },
  });
  return gateway.connect();
};
const saw = (text: string) =>
  vi.waitFor(() => expect(gateway.log.filter((line) => line.includes(text))).toHaveLength(1), {
    timeout: 5_000,
    interval: 5,
  });
const called = ({ raw }: FakeRequest) => raw.includes('"role":"tool"');
const file = () => readFileSync(join(gateway.home.state, "openclaw.json"), "utf8");
let keys = 0;

/** Has the agent call the tool once; what the tool said. */
async function use(
  wire: Wire,
  args: Record<string, unknown>,
  sessionKey = `agent:main:care-${++keys}`,
): Promise<string> {
  gateway.script = (request) => (called(request) ? ["done"] : [{ toolCall: { name: "gateway", arguments: args } }]);
  const final = await wire.final("agent", { message: "look after it", sessionKey, idempotencyKey: `use-${++keys}` });
  expect(final.payload).toMatchObject({ status: "ok" });
  const { messages } = await wire.call<{ messages: { role: string; content: { text?: string }[] }[] }>("chat.history", {
    sessionKey,
  });
  return messages.findLast(({ role }) => role === "toolResult")?.content[0]?.text ?? "";
}

async function say(wire: Wire, message: string): Promise<string> {
  const final = await wire.final("agent", { message, sessionKey: "main", idempotencyKey: `say-${++keys}` });
  return (final.payload?.result as { payloads: { text: string }[] }).payloads.map(({ text }) => text).join("\n");
}

describe("the gateway tool", () => {
  test("reads the config without its secrets, and changes it with the hash it read", async () => {
    const wire = await open();
    const shown = JSON.parse(await use(wire, { action: "config.get" })) as {
      hash: string;
      raw: string;
      valid: boolean;
    };
    expect(shown.valid).toBe(true);
    expect(JSON.stringify(shown)).not.toContain(canary);
    expect(JSON.stringify(shown)).not.toContain(token);
    const patch = { action: "config.patch", raw: "{ messages: { ackReaction: '👀' } }" };
    expect(await use(wire, patch)).toContain("config base hash required; re-run config.get and retry");
    expect(await use(wire, { ...patch, baseHash: shown.hash })).toContain("applied while running");
    expect(file()).toContain("👀");
    expect(file()).toContain(canary);
    await wire.close();
  });

  test("shows the schema", async () => {
    const wire = await open();
    expect(await use(wire, { action: "config.schema" })).toContain("draft-07");
    await wire.close();
  });

  test("does not restart unless commands.restart allows it", async () => {
    const wire = await open();
    expect(await use(wire, { action: "restart" })).toContain("commands.restart=true");
    await gateway.world.jump(10_000);
    await wire.settled();
    await wire.close();
  });

  test("restarts after the turn that asked has ended, and the session is told", async () => {
    const wire = await open({ restart: true });
    let answered = 0;
    gateway.script = async (request) => {
      if (!called(request))
        return [{ toolCall: { name: "gateway", arguments: { action: "restart", delayMs: 0, note: "new skill" } } }];
      // The restart is due while the turn still runs.
      await gateway.world.jump(1_000);
      await saw("received SIGUSR1; restarting");
      answered++;
      return ["restarting"];
    };
    const final = await wire.final("agent", { message: "restart", sessionKey: "main", idempotencyKey: "restart" });
    expect(final.payload).toMatchObject({ status: "ok" });
    expect(answered).toBe(1);
    expect((await wire.closed).code).toBe(1012);
    await saw("restarted; listening");
    const again = await gateway.connect();
    let prompt = "";
    gateway.script = ({ raw }) => {
      prompt = raw;
      return ["welcome back"];
    };
    expect(await say(again, "hello")).toBe("welcome back");
    expect(prompt).toContain("GatewayRestart");
    expect(prompt).toContain("new skill");
    await again.close();
  });

  test("a config it applies plans the restart with the note", async () => {
    const wire = await open();
    const { hash, raw } = JSON.parse(await use(wire, { action: "config.get" })) as { hash: string; raw: string };
    const result = await use(wire, {
      action: "config.apply",
      raw,
      baseHash: hash,
      restartDelayMs: 5_000,
      note: "applied",
    });
    expect(JSON.parse(result)).toMatchObject({ ok: true, restart: { reason: "config.apply" } });
    await gateway.world.jump(5_100);
    await saw("restarted; listening");
    expect(file()).toContain(canary);
  });

  test("the fourth change of a minute is refused", async () => {
    const wire = await open();
    for (let i = 0; i < 3; i++) expect(await use(wire, { action: "config.patch", raw: "{}" })).toContain("base hash");
    expect(await use(wire, { action: "config.patch", raw: "{}" })).toContain("at most 3 changes a minute");
    await gateway.world.jump(61_000);
    expect(await use(wire, { action: "config.patch", raw: "{}" })).toContain("base hash");
    await wire.close();
  });

  test("update.run says what to run and changes nothing", async () => {
    const wire = await open();
    expect(JSON.parse(await use(wire, { action: "update.run" }))).toMatchObject({ status: "skipped", steps: [] });
    await wire.close();
  });
});

describe("chat commands", () => {
  test("/restart and /config are off until the config allows them", async () => {
    const wire = await open();
    expect(await say(wire, "/restart")).toContain("commands.restart=true");
    expect(await say(wire, "/config show")).toContain("commands.config=true");
    await gateway.world.jump(10_000);
    await wire.settled();
    await wire.close();
  });

  test("/restart restarts", async () => {
    const wire = await open({ restart: true });
    expect(await say(wire, "/restart")).toContain("restarts");
    await gateway.world.jump(2_100);
    await saw("restarted; listening");
  });

  test("/config shows values and no secrets", async () => {
    const wire = await open({ config: true });
    expect(await say(wire, "/config get gateway.mode")).toBe("gateway.mode:\nlocal");
    const all = await say(wire, "/config");
    expect(all).toContain('"mode": "local"');
    expect(all).not.toContain(canary);
    expect(await say(wire, "/config get talk.apiKey")).not.toContain(canary);
    expect(await say(wire, "/config get nothing.here")).toContain("is not set");
    expect(await say(wire, "/config set a=b")).toContain("Use /config show");
    await wire.close();
  });
});

describe("update.run", () => {
  test("answers skipped with the reason, plans no restart, and is limited to three a minute", async () => {
    const wire = await open();
    for (let i = 0; i < 3; i++) {
      expect(await wire.call("update.run", { sessionKey: "main" })).toMatchObject({
        ok: true,
        result: { status: "skipped", reason: expect.any(String), before: { version: "test" }, steps: [] },
        restart: null,
        sentinel: { path: null, payload: { kind: "update", status: "skipped" } },
      });
    }
    expect((await wire.request("update.run", {})).error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    await wire.close();
  });
});
