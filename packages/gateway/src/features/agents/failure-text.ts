/** Texts of failed runs, for people: which cause, what to do (agent.md §8.6). No raw bodies, no secrets: they are made of texts
 *  that are already clean. */
import { GatewayError } from "@openclaw/protocol";
import type { FailureReason, ModelEvent } from "../models/index.ts";
import type { ErrorKind } from "./announcer.ts";

type Failed = Extract<ModelEvent, { type: "failed" }>;

const advice: Partial<Record<FailureReason, string>> = {
  context_overflow: "The conversation is too long for the model. Use /compact, or /new to start over.",
  rate_limit: "The model is overloaded or its limit is reached. Try again in a while.",
  billing: "The provider wants payment. Check the account's balance.",
  timeout: "The model did not answer in time. Try again.",
};

export function failureText({ failure, attempts }: Failed): string {
  const text = [advice[failure.reason], failure.message].filter(Boolean).join(" ");
  if (attempts.length < 2) return text;
  return `All models failed: ${attempts.map(({ ref, reason }) => `${ref} (${reason})`).join(", ")}. ${text}`;
}

const kinds: Partial<Record<FailureReason, ErrorKind>> = {
  rate_limit: "rate_limit",
  timeout: "timeout",
  context_overflow: "context_length",
};
export const failureKind = (reason: FailureReason): ErrorKind => kinds[reason] ?? "unknown";

/** Text of something that was thrown. Errors that are not ours stay in the log. */
export const thrownText = (error: unknown): string =>
  error instanceof GatewayError
    ? error.message
    : "The run failed because of an internal error; the log has the details.";
