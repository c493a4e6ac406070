import type { Message } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { mockModel, reply } from "./agents.fixture.ts";
import { fitFor, maxImageChars } from "./context.ts";

const seen = (data: string): Message => ({
  role: "user",
  content: [
    { type: "text", text: "look" },
    { type: "image", data, mimeType: "image/png" },
  ],
  timestamp: 0,
});
const kinds = (messages: readonly Message[]) =>
  messages.flatMap(({ role, content }) =>
    role === "user" && typeof content !== "string" ? [content.map((part) => part.type).join("+")] : [],
  );

test("a conversation full of large images stays below what providers accept: the oldest are left out", () => {
  const half = "A".repeat(maxImageChars / 2);
  const said = reply([{ type: "text", text: "nice" }]);
  const fit = fitFor(mockModel, [seen("A"), said, seen(half), said, seen(half), said]);
  expect(kinds(fit)).toEqual(["text+text", "text+image", "text+image"]);
  expect(JSON.stringify(fit[0])).toContain("too many large images came after it");
});

test("a small image before one that was left out is left out too, and the newest is always sent", () => {
  const whole = "A".repeat(maxImageChars);
  const said = reply([{ type: "text", text: "nice" }]);
  expect(kinds(fitFor(mockModel, [seen("A"), said, seen(whole), said, seen("B"), said]))).toEqual([
    "text+text",
    "text+text",
    "text+image",
  ]);
  expect(kinds(fitFor(mockModel, [seen(`${whole}A`)]))).toEqual(["text+image"]);
});
