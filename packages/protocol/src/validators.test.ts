import {
  connectParams,
  frameValidators,
  loadAnswerValidators,
  paramsValidators,
  type ValidateFunction,
} from "@openclaw/protocol/validators";
import { expect, test } from "vitest";
import { methods } from "./schema.ts";

/** What a validator says about a value: nothing, or place, keyword and text of each error. */
function faults(validate: ValidateFunction | undefined, value: unknown): string[] {
  if (validate === undefined) throw new Error("there is no such validator");
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.keyword}: ${error.message ?? ""}`);
}

const params = (method: string, value: unknown): string[] => faults(paramsValidators[method], value);

const minimal = {
  minProtocol: 3,
  maxProtocol: 3,
  client: { id: "cli", version: "1.0.0", platform: "linux", mode: "cli" },
};

test("every method has a validator of params and one of results", async () => {
  const answers = await loadAnswerValidators();
  expect(Object.keys(paramsValidators)).toEqual(Object.keys(methods));
  expect(Object.keys(answers.resultValidators)).toEqual(Object.keys(methods));
  expect(Object.keys(answers.ackValidators)).toEqual(["agent", "exec.approval.request"]);
});

test("names from outside reach no prototype", () => {
  expect(paramsValidators["constructor"]).toBeUndefined();
  expect(paramsValidators["__proto__"]).toBeUndefined();
});

test("the smallest legal connect passes", () => {
  expect(faults(connectParams, { ...minimal, caps: [], auth: { token: "secret-token" } })).toEqual([]);
});

test("connect takes every key that any client generation sends", () => {
  const extras = {
    ...minimal,
    client: {
      ...minimal.client,
      displayName: "x",
      deviceFamily: "Linux",
      modelIdentifier: "x64",
      instanceId: "i",
      buildId: "b",
      timeZone: "Europe/Berlin",
    },
    caps: ["tool-events"],
    commands: ["system.run"],
    permissions: { camera: true },
    pathEnv: "/usr/bin",
    role: "node",
    scopes: ["operator.read"],
    device: { id: "d", publicKey: "k", signature: "s", signedAt: 0, nonce: "n" },
    auth: {
      token: "",
      password: "",
      deviceToken: "",
      bootstrapToken: "",
      approvalRuntimeToken: "",
      agentRuntimeIdentityToken: "",
    },
    computerUse: { any: 1 },
    workerRuns: {},
    locale: "de",
    userAgent: "x",
  };
  expect(faults(connectParams, extras)).toEqual([]);
});

test("connect is closed at each level", () => {
  expect(faults(connectParams, { ...minimal, zzz: 1 })).toEqual([
    " additionalProperties: must NOT have additional properties",
  ]);
  for (const key of ["client", "device", "auth"]) {
    const inner = key === "client" ? { ...minimal.client, zzz: 1 } : key === "auth" ? { zzz: 1 } : undefined;
    const device = { id: "d", publicKey: "k", signature: "s", signedAt: 0, zzz: 1 };
    expect(faults(connectParams, { ...minimal, [key]: inner ?? device })).toEqual([
      `/${key} additionalProperties: must NOT have additional properties`,
    ]);
  }
});

test("an unknown client is one error that says so", () => {
  expect(faults(connectParams, { ...minimal, client: { ...minimal.client, id: "nope" } })).toEqual([
    "/client/id enum: must be equal to one of the allowed values",
  ]);
});

test("missing keys are named where they are missing", () => {
  expect(faults(connectParams, { minProtocol: 3, maxProtocol: 3 })).toEqual([
    " required: must have required property 'client'",
  ]);
  expect(params("agent", { message: "hi" })).toEqual([" required: must have required property 'idempotencyKey'"]);
  expect(params("send", { to: "x", message: "hi" })).toEqual([
    " required: must have required property 'idempotencyKey'",
  ]);
});

test("an unknown key carries its name", () => {
  const validate = paramsValidators["chat.abort"];
  expect(validate?.({ sessionKey: "main", zzz: 1 })).toBe(false);
  expect(validate?.errors).toMatchObject([
    { instancePath: "", keyword: "additionalProperties", params: { additionalProperty: "zzz" } },
  ]);
});

test("all errors are reported, so that unknown keys do not hide others", () => {
  expect(params("chat.history", { zzz: 1, sessionKey: "", limit: 0 })).toEqual([
    " additionalProperties: must NOT have additional properties",
    "/sessionKey minLength: must NOT have fewer than 1 characters",
    "/limit minimum: must be >= 1",
  ]);
});

test("numbers, texts and lists keep their bounds", () => {
  expect(params("logs.tail", { limit: 5000, maxBytes: 1_000_000, cursor: 0 })).toEqual([]);
  expect(params("logs.tail", { limit: 5001 })).toEqual(["/limit maximum: must be <= 5000"]);
  expect(params("logs.tail", { limit: 1.5 })).toEqual(["/limit type: must be integer"]);
  expect(params("sessions.preview", { keys: [] })).toEqual(["/keys minItems: must NOT have fewer than 1 items"]);
  expect(params("sessions.usage", { startDate: "yesterday" })).toHaveLength(1);
  expect(params("sessions.usage", { startDate: "2026-02-13" })).toEqual([]);
});

test("the length of a text counts characters, not code units", () => {
  const label = "\u{1F980}".repeat(64);
  expect(params("sessions.patch", { key: "main", label })).toEqual([]);
  expect(params("sessions.patch", { key: "main", label: `${label}x` })).toEqual([
    "/label maxLength: must NOT have more than 64 characters",
  ]);
});

test("null clears a field of a session, and only where it may", () => {
  expect(params("sessions.patch", { key: "main", label: null, model: null, sendPolicy: null })).toEqual([]);
  expect(params("sessions.patch", { key: null })).toEqual(["/key type: must be string"]);
  expect(params("sessions.patch", { key: "main", sendPolicy: "maybe" })).toEqual([
    "/sendPolicy enum: must be equal to one of the allowed values",
  ]);
});

test("open methods leave the judgement to their handlers", () => {
  expect(params("system-event", { text: 5, tags: "x", whatever: {} })).toEqual([]);
  expect(params("set-heartbeats", {})).toEqual([]);
  expect(params("health", [])).toEqual([" type: must be object"]);
});

test("envelopes are closed", () => {
  const request = { type: "req", id: "a", method: "health" };
  expect(faults(frameValidators.request, request)).toEqual([]);
  expect(faults(frameValidators.request, { ...request, traceparent: "x".repeat(128), params: null })).toEqual([]);
  expect(faults(frameValidators.request, { ...request, traceparent: "x".repeat(129) })).toHaveLength(1);
  expect(faults(frameValidators.request, { ...request, zzz: 1 })).toHaveLength(1);
  expect(faults(frameValidators.request, { ...request, id: "" })).toHaveLength(1);
  for (const value of [null, 7, "x", [], [1, 2]]) expect(faults(frameValidators.request, value)).toHaveLength(1);
  expect(
    faults(frameValidators.response, { type: "res", id: "a", ok: false, error: { code: "X", message: "y", why: 1 } }),
  ).toHaveLength(1);
  expect(faults(frameValidators.event, { type: "event", event: "tick", stateVersion: { presence: 1 } })).toHaveLength(
    1,
  );
});

test("a key called __proto__ is an unknown key", () => {
  const hostile: unknown = JSON.parse('{"sessionKey":"main","__proto__":{"runId":"x"},"constructor":1}');
  expect(params("chat.abort", hostile)).toEqual([
    " additionalProperties: must NOT have additional properties",
    " additionalProperties: must NOT have additional properties",
  ]);
});

test("a validator gives up after 64 errors, and says that its list is not complete", () => {
  const wrong = faults(connectParams, { ...minimal, caps: Array.from({ length: 1_000_000 }, () => 7) });
  expect(wrong).toHaveLength(65);
  expect(wrong.at(-1)).toBe(" maxErrors: must NOT have more than 64 errors");
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, 1]));
  const strange = faults(paramsValidators["chat.abort"], { ...keys, sessionKey: "main" });
  expect(strange).toHaveLength(65);
  expect(strange.at(-1)).toMatch(/maxErrors/);
});
