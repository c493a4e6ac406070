import { GatewayError } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { fakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import type { ReplyRoute } from "../agents/index.ts";
import type { SessionEntry } from "../sessions/index.ts";
import { type ToolContext, Tools, type ToolsConfig } from "../tools/index.ts";
import { messageTool, type MessageToolOptions } from "./message.tool.ts";
import { Echoes } from "./pipeline/echoes.ts";
import type { Sender } from "./sends.ts";

const route: ReplyRoute = { channel: "fake", accountId: "default", chatId: "ann", kind: "direct" };

interface Setting {
  route?: ReplyRoute | undefined;
  chat?: ReplyRoute;
  session?: Partial<SessionEntry>;
  crossContext?: Partial<ToolsConfig["message"]["crossContext"]>;
  broadcast?: boolean;
  failFor?: string;
  capabilities?: ReturnType<MessageToolOptions["capabilities"]>;
}

function makeTool(setting: Setting = {}) {
  const calls: { what: string; params: Record<string, unknown>; owner?: boolean }[] = [];
  const record = (what: string) => async (params: object, sender?: Sender) => {
    const { owner, attached } = sender ?? {};
    const held = attached ? { attached } : {};
    calls.push({ what, params: { ...params, ...held }, ...(owner === undefined ? {} : { owner }) });
    if ("to" in params && params.to === setting.failFor) throw new GatewayError("unavailable", "not connected");
    return { ok: true, runId: "r", messageId: `id-${calls.length}`, channel: "fake" };
  };
  const config = {
    current: {
      tools: {
        message: {
          allowCrossContextSend: false,
          crossContext: {
            allowWithinProvider: true,
            allowAcrossProviders: false,
            marker: { enabled: true, prefix: "[from {channel}] ", suffix: "" },
            ...setting.crossContext,
          },
          broadcast: { enabled: setting.broadcast ?? true },
        },
        loopDetection: { enabled: false },
      } as unknown as ToolsConfig,
    },
  };
  const echoes = new Echoes({ monotonic: () => 0 });
  const sends = {
    send: record("send"),
    poll: record("poll"),
    act: record("act"),
    resolve: ({
      channel = "fake",
      accountId = "default",
      to,
    }: {
      channel?: string;
      accountId?: string;
      to: string;
    }) => {
      if (channel !== "fake" && channel !== "other")
        throw new GatewayError("invalid", `unsupported channel: ${channel}`);
      return { entry: { id: channel }, runner: { accountId }, target: { chatId: to, kind: "direct" } };
    },
  } as unknown as MessageToolOptions["sends"];
  const tool = messageTool({
    world: fakeWorld(),
    config,
    sends,
    agents: {
      routeOf: () => ("route" in setting ? setting.route : route),
      chatOf: () => setting.chat ?? ("route" in setting ? setting.route : route),
    },
    sessions: { get: () => setting.session as SessionEntry | undefined },
    echoes,
    capabilities: () => setting.capabilities ?? [{ polls: true, reactions: true, edit: true, delete: true }],
  });
  const tools = new Tools({ log: silentLogger, config, tools: [tool] });
  const context = {
    runId: "run",
    agentId: "main",
    sessionKey: "agent:main:main",
    workspace: "/w",
    origin: "channel",
    owner: true,
    signal: new AbortController().signal,
    update: () => {},
    systemEvent: () => {},
    log: silentLogger,
  } as ToolContext;
  const run = async (args: Record<string, unknown>) => {
    const result = await tools.call(tool, args, context);
    const [part] = result.content;
    return { text: part?.type === "text" ? part.text : "", isError: result.isError === true };
  };
  return { calls, echoes, run, tool };
}

test("without a target the message goes to this conversation, and its text is remembered", async () => {
  const { calls, echoes, run } = makeTool();
  expect((await run({ message: "on it", replyTo: "m1" })).text).toBe("Sent to fake:ann, message id id-1.");
  expect(calls[0]).toMatchObject({
    what: "send",
    owner: false,
    params: { to: "ann", channel: "fake", accountId: "default", message: "on it", replyTo: "m1" },
  });
  expect(echoes.wasSentByTool("run", "fake default ann", " On  it ")).toBe(true);
});

test("another conversation of the channel gets a mark of where it comes from", async () => {
  const { calls, run } = makeTool();
  await run({ target: "bob", message: "hello" });
  expect(calls[0]?.params).toMatchObject({ to: "bob", channel: "fake", message: "[from fake] hello" });
});

test.each([
  [
    { target: "bob", message: "x" },
    { crossContext: { allowWithinProvider: false } },
    "crossContext.allowWithinProvider",
  ],
  [{ target: "bob", channel: "other", message: "x" }, {}, "crossContext.allowAcrossProviders"],
  [{ targets: ["bob", "eve"], message: "x" }, { broadcast: false }, "broadcast.enabled"],
  [{ channel: "nowhere", target: "bob", message: "x" }, {}, "unsupported channel"],
  [{ channel: "other", message: "x" }, {}, "Say to whom"],
  [{ action: "react", emoji: "👍" }, {}, "needs messageId"],
  [{ action: "poll", pollQuestion: "?", pollOption: ["a"] }, {}, "at least two"],
  [{ action: "shout" }, {}, "action"],
] as [Record<string, unknown>, Setting, string][])("%j is refused", async (args, setting, reason) => {
  const { calls, run } = makeTool(setting);
  const result = await run(args);
  expect(result).toMatchObject({ isError: true, text: expect.stringContaining(reason) });
  expect(calls).toEqual([]);
});

test("a run of an operator reaches every channel, and without a target where its session was last spoken to", async () => {
  const { calls, run } = makeTool({ route: undefined, session: { lastChannel: "fake", lastTo: "ann" } });
  await run({ target: "bob", channel: "other", message: "x" });
  await run({ message: "y" });
  expect(
    calls.map(({ params }) => `${String(params["channel"])} ${String(params["to"])} ${String(params["message"])}`),
  ).toEqual(["other bob x", "fake ann y"]);
});

test("a run that a chat's run started reaches no further than that one", async () => {
  const { calls, run } = makeTool({ route: undefined, chat: route });
  const result = await run({ target: "bob", channel: "other", message: "x" });
  expect(result).toMatchObject({ isError: true, text: expect.stringContaining("allowAcrossProviders") });
  expect(calls).toEqual([]);
});

test("several targets stop at the first failure, unless they shall not", async () => {
  const strict = makeTool({ failFor: "b" });
  expect(await strict.run({ targets: ["a", "b", "c"], message: "x" })).toMatchObject({ isError: true });
  expect(strict.calls).toHaveLength(2);
  const best = makeTool({ failFor: "b" });
  expect((await best.run({ targets: ["a", "b", "c"], message: "x", bestEffort: true })).text).toMatch(
    /Sent to fake:a.*\nfake:b: not connected\nSent to fake:c/,
  );
});

test("polls, reactions and changes take what belongs to them", async () => {
  const { calls, run } = makeTool();
  await run({
    action: "poll",
    pollQuestion: "When?",
    pollOption: ["now", "later"],
    pollMulti: true,
    pollDurationHours: 0.5,
  });
  await run({ action: "react", messageId: "m1", emoji: "👍" });
  await run({ action: "edit", messageId: "m1", message: "new" });
  await run({ action: "delete", messageId: "m1" });
  expect(calls.map(({ what }) => what)).toEqual(["poll", "act", "act", "act"]);
  expect(calls[0]?.params).toMatchObject({ question: "When?", maxSelections: 2, durationSeconds: 1_800 });
  expect(calls[2]?.params).toMatchObject({ action: "edit", messageId: "m1", message: "new", to: "ann" });
});

test("a dry run only says where it would go", async () => {
  const { calls, run } = makeTool();
  expect((await run({ target: "bob", message: "x", dryRun: true })).text).toBe("Would go to fake:bob.");
  expect(calls).toEqual([]);
});

test("a file may be handed over by its content, with or without words", async () => {
  const { calls, run } = makeTool();
  await run({ buffer: "aGk=", filename: "hi.txt", contentType: "text/plain", caption: "here" });
  expect(calls[0]?.params).toMatchObject({
    message: "here",
    attached: [{ base64: "aGk=", fileName: "hi.txt", contentType: "text/plain" }],
  });
});

test("only what a configured channel can do is offered, and nothing without a channel", async () => {
  const none = { polls: false, reactions: false, edit: false, delete: false };
  const offered = (capabilities: Setting["capabilities"]) => {
    const { tool } = makeTool(capabilities ? { capabilities } : {});
    const { properties } = tool.params as unknown as { properties: Record<string, { enum?: string[] }> };
    return { actions: properties["action"]?.enum, names: Object.keys(properties), available: tool.available?.() };
  };
  expect(offered([none])).toMatchObject({ actions: ["send"], available: true });
  expect(offered([none]).names).not.toContain("pollQuestion");
  expect(offered([none, { ...none, reactions: true }])).toMatchObject({ actions: ["send", "react"] });
  expect(offered([])).toMatchObject({ available: false });
  const { run } = makeTool({ capabilities: [none] });
  expect(await run({ action: "edit", messageId: "1", message: "x" })).toMatchObject({ isError: true });
});
