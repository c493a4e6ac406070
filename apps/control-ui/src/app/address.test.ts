import { expect, test } from "vitest";
import { basePathOf, defaultGatewayUrl, readHandover } from "./address.ts";
import { encodeRest, parsePlace } from "./router.ts";
import { readSettings } from "./settings.ts";

const read = (address: string) => readHandover(new URL(address, "http://127.0.0.1:18789"));

test("a token in the fragment is read and leaves the address", () => {
  expect(read("/chat#token=abc")).toMatchObject({ token: "abc", cleaned: "/chat" });
});

test("the fragment counts more than the query, and neither keeps a secret", () => {
  const { token, password, cleaned } = read("/?token=query&password=p&session=work#token=fragment");
  expect({ token, password, cleaned }).toEqual({ token: "fragment", password: "p", cleaned: "/?session=work" });
});

test("another gateway is named only by a WebSocket address", () => {
  expect(read("/?gatewayUrl=wss://evil.example").gatewayUrl).toBe("wss://evil.example");
  for (const address of ["javascript:alert(1)", "http://x", "ws://", "nonsense"])
    expect(read(`/?gatewayUrl=${encodeURIComponent(address)}`).gatewayUrl).toBeUndefined();
});

test("the base path is what the server says, else what stands before a known view", () => {
  const views = ["/chat", "/config"];
  expect(basePathOf("/x/chat", "/openclaw/", views)).toBe("/openclaw");
  expect(basePathOf("/openclaw/chat/agent:main:main", undefined, views)).toBe("/openclaw");
  expect(basePathOf("/openclaw/", undefined, views)).toBe("/openclaw");
  expect(basePathOf("/chatter", undefined, views)).toBe("/chatter");
  expect(basePathOf("/index.html", undefined, views)).toBe("");
});

test("the gateway is where the page came from, with the scheme that fits", () => {
  expect(defaultGatewayUrl({ protocol: "http:", host: "127.0.0.1:1" }, "")).toBe("ws://127.0.0.1:1/");
  expect(defaultGatewayUrl({ protocol: "https:", host: "box.ts.net" }, "/claw")).toBe("wss://box.ts.net/claw/");
});

test("places are found whatever the case and the trailing slash, others lead to the fallback", () => {
  const place = (path: string) => parsePlace(path, new URLSearchParams(), ["/chat", "/config"], "/chat");
  expect(place("/Config/").path).toBe("/config");
  expect(place("/chat/agent:main:a%2Fb")).toMatchObject({ path: "/chat", rest: "agent:main:a/b" });
  expect(place("/nowhere")).toMatchObject({ path: "/chat", rest: "" });
  expect(place("/chat/%zz").rest).toBe("%zz");
  expect(encodeRest("agent:main:a/b")).toBe("agent:main:a%2Fb");
});

test("stored settings of a wrong type fall back, one by one", () => {
  const settings = readSettings({ theme: "neon", navCollapsed: true, sessionKey: 7, navGroupsCollapsed: [] });
  expect(settings).toMatchObject({ theme: "system", navCollapsed: true, sessionKey: "", navGroupsCollapsed: {} });
});
