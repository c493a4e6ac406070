import { RequestError } from "@openclaw/client";
import { expect, test } from "vitest";
import { accountState, enabledFirst, factsOf, skippedOf, type ChannelAccount } from "./account-state.ts";
import { Login, type LoginTarget } from "./login.ts";

const account = (facts: Partial<ChannelAccount>): ChannelAccount => ({
  accountId: "default",
  enabled: true,
  configured: true,
  ...facts,
});
const facts = (known: Partial<ChannelAccount>) => factsOf(account(known)).map(({ name, text }) => `${name}: ${text}`);

test("linked, connected and receiving are three facts", () => {
  expect(facts({ state: "open", linked: true, connected: true, receiving: false })).toEqual([
    "Linked: Yes",
    "Connected: Yes",
    "Receiving: No sign of life from the platform",
  ]);
  expect(facts({ state: "backoff", linked: true, connected: false, reconnectAttempts: 2 })).toEqual([
    "Linked: Yes",
    "Connected: No, attempt 3 follows",
    "Receiving: No",
  ]);
});

test("an account has one state in words", () => {
  expect(accountState(account({ state: "terminal", linked: false })).text).toBe("not linked");
  expect(accountState(account({ state: "terminal", linked: true })).text).toBe("needs you");
  expect(accountState(account({ state: "open", connected: true, receiving: false })).text).toBe("silent");
  expect(accountState(account({ enabled: false, state: "terminal" })).text).toBe("switched off");
});

test("what was left out is told by reason", () => {
  expect(skippedOf(account({ inbound: { received: 3, "skipped.not-paired": 2, "skipped.old": 0 } }))).toEqual([
    { reason: "not paired", count: 2 },
  ]);
});

test("channels that are switched off stand last, the others as the gateway orders them", () => {
  const accounts = { a: [account({ enabled: false })], b: [account({})], c: [account({})] };
  expect(enabledFirst(["a", "b", "c"], accounts)).toEqual(["b", "c", "a"]);
});

const target: LoginTarget = { channel: "whatsapp", accountId: undefined, phone: undefined, force: false };
const png = "data:image/png;base64,AAAA";

/** A gateway that gives these answers in order and remembers what it was asked. */
function answering(...answers: unknown[]) {
  const asked: { method: string; params: unknown }[] = [];
  const link = {
    callAny(method: string, params?: unknown) {
      asked.push({ method, params });
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  return { link, asked };
}

test("a code is shown, a newer one replaces it, and the end is told", async () => {
  const { link, asked } = answering(
    { message: "Scan.", qrDataUrl: png, qrText: "one", expiresAt: 5 },
    { connected: false, message: "not yet" },
    { connected: false, qrDataUrl: png, qrText: "two", message: "newer" },
    { connected: true, done: true, message: "Linked." },
  );
  const login = new Login(link, target);
  await login.run();
  expect(login.state.value).toEqual({ name: "linked", message: "Linked." });
  expect(asked.slice(1).map(({ params }) => (params as { shown: string }).shown)).toEqual(["one", "one", "two"]);
});

test("an attempt that ends without a link says why", async () => {
  const { link } = answering(
    { message: "Scan.", qrDataUrl: png, qrText: "one" },
    { connected: false, done: true, message: "Too late." },
  );
  const login = new Login(link, target);
  await login.run();
  expect(login.state.value).toEqual({ name: "over", message: "Too late.", already: false });
});

test("an account that is linked already says so instead of showing a code", async () => {
  const login = new Login(answering({ message: "WhatsApp is already linked." }).link, target);
  await login.run();
  expect(login.state.value).toMatchObject({ name: "over", already: true });
});

test("only pictures of the gateway become pictures", async () => {
  const { link } = answering(
    { message: "Scan.", qrDataUrl: "https://evil.example/x.png", qrText: "one" },
    new Promise(() => {}),
  );
  const login = new Login(link, target);
  void login.run();
  await expect.poll(() => login.state.value).toMatchObject({ name: "waiting", code: { picture: undefined } });
  login.stop();
});

test("a channel that is not in the config yet is put there, and asked again", async () => {
  const missing = new RequestError("web.login.start", {
    code: "INVALID_REQUEST",
    message: "WhatsApp is not configured",
    details: { code: "CHANNEL_NOT_CONFIGURED" },
  });
  const { link, asked } = answering(
    missing,
    { hash: "h" },
    {},
    { message: "Scan.", code: "ABCD-1234" },
    { connected: true, message: "ok" },
  );
  await new Login(link, { ...target, phone: "15550001000" }).run();
  expect(asked.map(({ method }) => method)).toEqual([
    "web.login.start",
    "config.get",
    "config.patch",
    "web.login.start",
    "web.login.wait",
  ]);
  expect(asked[2]?.params).toEqual({ raw: '{"channels":{"whatsapp":{}}}', baseHash: "h" });
});

test("a refusal is told as a sentence", async () => {
  const login = new Login(answering(new Error("no way")).link, target);
  await login.run();
  expect(login.state.value).toEqual({ name: "over", message: "No way.", already: false });
});
