/** Schemas of the three envelopes, closed as clients of protocol 3 check them (protocol.md §9.1). */
import { Type } from "typebox";
import { bool, count, json, opt, sealed, str1 } from "./fields.ts";
import { StateVersion } from "./spaces/connect.ts";

export const RequestFrameSchema = sealed("RequestFrame", {
  type: Type.Literal("req"),
  id: str1,
  method: str1,
  params: opt(json),
  traceparent: opt(Type.String({ maxLength: 128 })),
});

export const ErrorShape = sealed("ErrorShape", {
  code: str1,
  message: str1,
  details: opt(json),
  retryable: opt(bool),
  retryAfterMs: opt(count),
});

export const ResponseFrameSchema = sealed("ResponseFrame", {
  type: Type.Literal("res"),
  id: str1,
  ok: bool,
  payload: opt(json),
  error: opt(ErrorShape),
});

export const EventFrameSchema = sealed("EventFrame", {
  type: Type.Literal("event"),
  event: str1,
  payload: opt(json),
  seq: opt(count),
  stateVersion: opt(StateVersion),
});
