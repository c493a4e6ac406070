import { expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { checkKey } from "./key-check.ts";

const answering = (status: number) => {
  const asked: { url: string; headers: Record<string, string> }[] = [];
  const world = fakeWorld({
    fetch: async (url, init) => {
      asked.push({ url: String(url), headers: init?.headers as Record<string, string> });
      return new Response("", { status });
    },
  });
  return { world, asked };
};

test.each([
  ["anthropic", 200, "accepted"],
  ["anthropic", 401, "refused"],
  ["openai", 403, "refused"],
  ["openai", 400, "unknown"],
  ["google", 400, "refused"],
  ["openai", 500, "unknown"],
  ["openai", 429, "unknown"],
  ["nobody", 200, "unknown"],
])("%s answering %i means %s", async (provider, status, verdict) => {
  expect(await checkKey(answering(status).world, provider, "k")).toBe(verdict);
});

test("the key travels in a header, never in the address", async () => {
  for (const provider of ["anthropic", "openai", "google", "openrouter", "minimax"]) {
    const { world, asked } = answering(200);
    await checkKey(world, provider, "canary-key");
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).not.toContain("canary");
    expect(Object.values(asked[0]?.headers ?? {}).join(" ")).toContain("canary-key");
  }
});

test("without network, or with a slow one, nothing is known and nobody waits", async () => {
  const offline = fakeWorld({ fetch: () => Promise.reject(new Error("offline")) });
  expect(await checkKey(offline, "openai", "k")).toBe("unknown");
  const slow = fakeWorld({
    fetch: (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted")))),
  });
  const verdict = checkKey(slow, "openai", "k");
  await slow.clock.advance(3_000);
  expect(await verdict).toBe("unknown");
});
