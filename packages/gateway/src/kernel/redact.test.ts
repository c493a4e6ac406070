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
