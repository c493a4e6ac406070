import { expectTypeOf, test } from "vitest";
import type {
  BuiltMethodName,
  EventPayload,
  Message,
  MethodAck,
  MethodName,
  MethodParams,
  MethodResult,
} from "./index.ts";

test("params are what was validated: optional fields are absent, never undefined", () => {
  expectTypeOf<MethodParams<"agent.wait">>().toEqualTypeOf<{ runId: string; timeoutMs?: number }>();
  expectTypeOf<MethodParams<"sessions.patch">["label"]>().toEqualTypeOf<string | null | undefined>();
});

test("results may write an optional field as undefined, at any depth", () => {
  expectTypeOf<{ ok: true; key: string; compacted: boolean; reason: undefined }>().toExtend<
    MethodResult<"sessions.compact">
  >();
  expectTypeOf<{ presence: { ts: number; host: undefined }[] }>().toExtend<EventPayload<"presence">>();
});

test("transcript messages keep their own type", () => {
  expectTypeOf<MethodResult<"chat.history">["messages"][number]>().toExtend<Message>();
  expectTypeOf<Message>().toExtend<MethodResult<"chat.history">["messages"][number]>();
});

test("the first answer has a type of its own", () => {
  expectTypeOf<MethodAck<"agent">>().toEqualTypeOf<{ runId: string; status: "accepted"; acceptedAt: number }>();
});

test("planned methods need no handler", () => {
  expectTypeOf<"exec.approvals.get">().toExtend<MethodName>();
  expectTypeOf<"exec.approvals.get">().not.toExtend<BuiltMethodName>();
  expectTypeOf<"connect">().not.toExtend<BuiltMethodName>();
  expectTypeOf<"agent">().toExtend<BuiltMethodName>();
});
