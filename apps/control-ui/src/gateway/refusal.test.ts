import { expect, test } from "vitest";
import { ClosedError, DeadlineError } from "@openclaw/client";
import { curedBySecret, plainError, refusalOf } from "./refusal.ts";

const page = { origin: "https://ui.example" };
const refused = (message: string, details: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  refusalOf(
    new ClosedError({
      code: 1008,
      reason: "",
      wasConnected: false,
      refusal: { code: "INVALID_REQUEST", message, details, ...more },
    }),
    page,
  );

test("a gateway that is away is not a refusal", () => {
  expect(refusalOf(new ClosedError({ code: 1006, reason: "", wasConnected: false }), page)).toBeUndefined();
  expect(refusalOf(new DeadlineError(10_000), page)).toBeUndefined();
  expect(refusalOf(undefined, page)).toBeUndefined();
});

test("pairing names the request and the exact command", () => {
  const hint = "approve it with: openclaw --profile work devices approve 8f-1";
  expect(
    refused("pairing required", { code: "PAIRING_REQUIRED", requestId: "8f-1", remediationHint: hint }),
  ).toMatchObject({
    kind: "pairing",
    requestId: "8f-1",
    command: "openclaw --profile work devices approve 8f-1",
  });
  expect(refused("pairing required", { requestId: "x" })?.command).toBe("openclaw devices approve x");
});

test("missing, wrong and rate-limited secrets read differently", () => {
  const kinds = [
    refused("unauthorized: gateway token missing (…)", { authReason: "token_missing" }),
    refused("unauthorized: gateway token mismatch (…)"),
    refused("unauthorized: gateway password missing (…)"),
    refused("unauthorized: gateway password mismatch (…)", { authReason: "password_mismatch" }),
    refused("slow down", { code: "AUTH_RATE_LIMITED" }, { retryAfterMs: 42_000 }),
  ];
  expect(kinds.map((refusal) => refusal?.kind)).toEqual([
    "token-missing",
    "token-wrong",
    "password-missing",
    "password-wrong",
    "rate-limited",
  ]);
  expect(kinds[4]?.text).toContain("42 s");
  expect(kinds.every((refusal) => refusal && curedBySecret.has(refusal.kind))).toBe(true);
  expect(new Set(kinds.map((refusal) => refusal?.title)).size).toBe(5);
});

test("a foreign origin names itself and the key that admits it", () => {
  const refusal = refused("origin not allowed (…)", { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" });
  expect(refusal?.text).toContain("https://ui.example");
  expect(refusal?.text).toContain("gateway.controlUi.allowedOrigins");
});

test("a protocol mismatch says both versions", () => {
  const refusal = refused("protocol mismatch", { expectedProtocol: 9, clientMinProtocol: 3, clientMaxProtocol: 4 });
  expect(refusal).toMatchObject({ kind: "protocol" });
  expect(refusal?.text).toMatch(/protocol 9.*3 to 4/);
});

test("an insecure page learns where to go and which key weakens it", () => {
  const refusal = refused("control ui requires HTTPS or localhost (secure context)", {
    code: "CONTROL_UI_DEVICE_IDENTITY_REQUIRED",
  });
  expect(refusal?.text).toMatch(/https.*127\.0\.0\.1.*allowInsecureAuth/s);
});

test("whatever else is refused keeps the gateway's words", () => {
  expect(refused("invalid role")).toMatchObject({ kind: "other", text: "Invalid role." });
});

test("errors of calls are sentences", () => {
  expect(plainError(new Error("no such thing"))).toBe("No such thing.");
  expect(plainError(new DeadlineError(30_000))).toBe("The gateway did not answer within 30 s.");
});
