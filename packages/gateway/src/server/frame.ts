/** From bytes to a request: limits, parsing, envelope (protocol.md §9.1, §9.2; architecture §3 steps 1 to 3). */
import type { RequestFrame } from "@openclaw/protocol";
import { poisonKey, scanJson, scanNeeded, topLevelId } from "./json-scan.ts";

export type ParsedFrame =
  | { kind: "request"; frame: RequestFrame }
  /** Not JSON. */
  | { kind: "malformed" }
  /** JSON that is no acceptable request; `id` is the frame's own when it has a usable one, else "invalid". */
  | { kind: "invalid"; id: string; reason: string };

const envelopeKeys = new Set(["type", "id", "method", "params", "traceparent"]);

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Never throws. */
export function parseFrame(bytes: Buffer): ParsedFrame {
  if (scanNeeded(bytes.length)) {
    const verdict = scanJson(bytes);
    if (verdict !== "ok")
      return { kind: "invalid", id: topLevelId(bytes) ?? "invalid", reason: `${verdict} for one frame` };
  }
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "malformed" }; // the caller closes the socket, which is the answer
  }
  const reason = envelopeFault(value);
  const id = idOf(value);
  if (reason !== undefined) return { kind: "invalid", id, reason };
  const key = poisonKey(text, value);
  if (key !== undefined) return { kind: "invalid", id, reason: `key '${key}' is not allowed` };
  return { kind: "request", frame: value as RequestFrame };
}

function idOf(value: unknown): string {
  const id = typeof value === "object" && value !== null && "id" in value ? value.id : undefined;
  return isText(id) ? id : "invalid";
}

function envelopeFault(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "must be object";
  const frame = value as Record<string, unknown>;
  for (const key of Object.keys(frame)) {
    if (!envelopeKeys.has(key)) return `at root: unexpected property '${key.slice(0, 120)}'`;
  }
  for (const key of ["type", "id", "method"])
    if (!Object.hasOwn(frame, key)) return `must have required property '${key}'`;
  if (frame.type !== "req") return "at /type: must be equal to one of the allowed values";
  for (const key of ["id", "method"]) {
    if (typeof frame[key] !== "string") return `at /${key}: must be string`;
    if (frame[key] === "") return `at /${key}: must NOT have fewer than 1 characters`;
  }
  const { traceparent } = frame;
  if (traceparent !== undefined && (typeof traceparent !== "string" || traceparent.length > 128)) {
    return "at /traceparent: must be a string of at most 128 characters";
  }
  return undefined;
}
