import { expect, test } from "vitest";
import { Redactor } from "./redact.ts";

const secret = 'c0ffee"token/with+odd=chars';

test("a registered secret is masked in every usual encoding", () => {
  const redactor = new Redactor();
  redactor.add(secret);
  const forms = [
    secret,
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
    encodeURIComponent(secret),
    JSON.stringify(secret),
  ];
  for (const form of forms)
    expect(redactor.clean(`before ${form} after`)).not.toContain(form.replaceAll('"', "").slice(1, 20));
});

test("a secret inside a Basic header is masked whatever the user name's length", () => {
  const redactor = new Redactor();
  redactor.add("a-long-password-1234");
  for (const user of ["", "a", "ab", "abc", "abcd"]) {
    const header = Buffer.from(`${user}:a-long-password-1234`).toString("base64");
    const cleaned = redactor.clean(`Basic ${header}`);
    expect(cleaned).not.toContain(header);
  }
});

test("well-known token shapes are masked without being registered", () => {
  const redactor = new Redactor();
  for (const token of [
    "sk-ant-abcdef123456",
    "ghp_0123456789abcdef0123",
    "123456789:AAabcdefghijklmnopqrstuvw",
    "Bearer abcdefgh12345678",
  ]) {
    expect(redactor.clean(`x ${token} y`)).toContain("***");
  }
});

test("ordinary text and short words stay as they are", () => {
  const redactor = new Redactor();
  redactor.add("short");
  expect(redactor.clean("a short story about tokens")).toBe("a short story about tokens");
});

test("a pattern that could take long is named and left out, and the built-in ones stay beside the others", () => {
  const redactor = new Redactor();
  const problems = redactor.usePatterns({
    redactSensitive: "tools",
    redactPatterns: ["(a+)+$", "plan [a-z]", "(", `${"x".repeat(300)}`],
  });
  expect(problems).toEqual([
    "(a+)+$: it repeats a group that itself repeats or branches",
    expect.stringMatching(/^\(: /u),
    `${"x".repeat(80)}: it is longer than 200 characters`,
  ]);
  expect(redactor.clean(`plan b, Bearer abcdefgh, ${"a".repeat(60_000)}!`)).toMatch(/^\*\*\*, Bearer \*\*\*, a+!$/u);
  expect(redactor.usePatterns({ redactSensitive: "tools", redactPatterns: ["plan [a-z]", "("] })).toHaveLength(1);
  expect(redactor.clean("plan b, Bearer abcdefgh")).toBe("***, Bearer abcdefgh");
});

test("an own pattern finds what it means anywhere in a long text, also across the pieces it is read in", () => {
  const redactor = new Redactor();
  redactor.usePatterns({ redactSensitive: "tools", redactPatterns: ["code-[0-9]{1,9}x?", "id=[a-z]+;.*end"] });
  for (const at of [0, 490, 498, 500, 740, 999, 1_000, 5_321]) {
    const text = `${".".repeat(at)}code-123456789${".".repeat(6_000 - at)}`;
    expect(redactor.clean(text)).toBe(`${".".repeat(at)}***${".".repeat(6_000 - at)}`);
  }
  const twice = `${"code-1 ".repeat(2_000)}`;
  expect(redactor.clean(twice)).toBe("*** ".repeat(2_000));
});

test("a secret longer than a piece is masked to its end, wherever it stands", () => {
  const redactor = new Redactor();
  const redactPatterns = ["\\bBearer\\s+([A-Za-z0-9._\\-+=]{18,})\\b", "pin=[0-9a-f]+"];
  expect(redactor.usePatterns({ redactSensitive: "tools", redactPatterns })).toEqual([]);
  for (const chars of [100, 149, 151, 800, 5_000])
    for (const at of [0, 70, 75, 149, 499, 2_000]) {
      const secret = `eyJ${"aB3_-.x".repeat(chars).slice(0, chars)}9`;
      const text = (shown: string) => `${". ".repeat(at)}${shown} y ${". ".repeat(300)}`;
      expect(redactor.clean(text(`Bearer ${secret}`))).toBe(text("***"));
      expect(redactor.clean(text(`pin=${"9f".repeat(chars)}`))).toBe(text("***"));
    }
});
