import { expect, test } from "vitest";
import { attentionOf, type ChannelsStatus, type Known } from "./attention.ts";
import { strokes } from "./strokes.ts";
import { figuresOf, withSample } from "./vitals.ts";

const none: Known = { health: undefined, channels: undefined, senders: 0, devices: 0, localModels: [] };
const well = {
  problems: [],
  model: { ref: "mock/mock-1", configured: true, auth: "config" },
  config: { generation: 1, hash: "h", appliedAt: 0 },
};
const loop = {
  degraded: false,
  degradedSinceMs: null,
  reasons: [],
  intervalMs: 5_000,
  delayP99Ms: 12,
  delayMaxMs: 20,
  utilization: 0.5,
  cpuCoreRatio: 0.2,
};
const channels = (account: Record<string, unknown>): ChannelsStatus => ({
  ts: 0,
  channelOrder: ["whatsapp"],
  channelLabels: { whatsapp: "WhatsApp" },
  channels: {},
  channelAccounts: { whatsapp: [{ accountId: "default", ...account }] },
  channelDefaultAccountId: {},
});
const titles = (known: Partial<Known>) => attentionOf({ ...none, ...known }).map(({ title }) => title);

test("a gateway that is well needs nobody", () => {
  expect(
    titles({ health: { ...well, eventLoop: loop }, channels: channels({ state: "open", connected: true }) }),
  ).toEqual([]);
});

test("an account that only a person can bring back is named with its command", () => {
  const account = {
    state: "terminal",
    lastError: "WhatsApp is not linked.",
    fix: "openclaw channels login --channel whatsapp",
  };
  const [item] = attentionOf({ ...none, channels: channels(account) });
  expect(item).toMatchObject({
    title: "WhatsApp is not connected",
    text: "WhatsApp is not linked.",
    commands: [account.fix],
  });
});

test("advice that is no command is told as words", () => {
  const [item] = attentionOf({
    ...none,
    channels: channels({ state: "terminal", lastError: "Bad token", fix: "Get a new one." }),
  });
  expect(item).toMatchObject({ text: "Bad token. Get a new one.", commands: [] });
});

test("an account that is switched off or trying again needs nobody", () => {
  expect(titles({ channels: channels({ state: "terminal", enabled: false }) })).toEqual([]);
  expect(titles({ channels: channels({ state: "backoff" }) })).toEqual([]);
});

test("the worst stands first; requests of people come last", () => {
  const health = {
    ...well,
    safe: { reason: "three unclean boots", since: 0 },
    model: { ref: "offline/echo", configured: false, auth: "none needed" },
    config: { ...well.config, needsRestart: ["gateway.port"] },
  };
  expect(titles({ health, senders: 1, devices: 2 })).toEqual([
    "Safe mode",
    "Changed settings wait for a restart",
    "No model is configured",
    "Somebody asks to write to you",
    "2 devices ask to be let in",
  ]);
});

test("without a model the commands of models that run here are offered", () => {
  const health = { ...well, model: { ref: "offline/echo", configured: false, auth: "" } };
  const command = "openclaw models set ollama/llama3";
  const [item] = attentionOf({ ...none, health, localModels: [{ name: "Ollama", command }] });
  expect(item?.commands).toEqual([command]);
});

test("a problem is told once, in the words of the part that knows most", () => {
  const problems = [
    { part: "whatsapp", message: "WhatsApp is not linked." },
    { part: "store", message: "The disk is full. Run `openclaw doctor --fix`" },
  ];
  expect(
    attentionOf({ ...none, health: { ...well, problems }, channels: channels({ state: "terminal" }) }),
  ).toMatchObject([
    { title: "WhatsApp is not connected" },
    { title: "Store is not well", commands: ["openclaw doctor --fix"] },
  ]);
});

test("a refused change of the config and a slow process are told", () => {
  const health = {
    ...well,
    config: { ...well.config, lastReloadError: { at: 1, message: "gateway.port: expected a number" } },
    eventLoop: { ...loop, degraded: true },
  };
  expect(titles({ health })).toEqual(["The last change of the config was not taken", "The gateway reacts slowly"]);
});

test("figures come from the snapshot; memory only where it is told", () => {
  const health = { eventLoop: loop };
  expect(figuresOf(health)).toEqual({ delay: 12, busy: 50 });
  expect(figuresOf({ ...health, memory: { rssBytes: 7, heapUsedBytes: 3 } })).toEqual({
    delay: 12,
    busy: 50,
    memory: 7,
  });
});

test("the samples kept are bounded", () => {
  const samples = Array.from({ length: 5 }, (_, at) => ({ at, value: at }));
  expect(withSample(samples, { at: 5, value: 5 }, 3).map(({ at }) => at)).toEqual([3, 4, 5]);
});

test("a silence breaks the line instead of bridging it", () => {
  const samples = [0, 5_000, 60_000, 65_000].map((at) => ({ at, value: 1 }));
  expect(strokes(samples, 1, 20_000)).toHaveLength(2);
  expect(strokes(samples, 1, 60_000)).toHaveLength(1);
  expect(strokes([], 1, 20_000)).toEqual([]);
});
