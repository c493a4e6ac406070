/** What a `system-event` says: typed fields, and those that stand in the text of a beacon such as
 *  `Node: Ann's Mac (192.168.1.5) · app 1.2.0 · last input 8s ago · mode local · reason periodic` (protocol.md §13.1). */
import { GatewayError, type MethodParams } from "@openclaw/protocol";
import type { PresencePatch } from "./entry.ts";

const maxTextLength = 2_000;
const maxFieldLength = 256;
const maxListLength = 64;

export interface Beacon {
  text: string;
  /** The text is a device's beacon, not a note. */
  isNode: boolean;
  fields: PresencePatch;
}

const text = (value: unknown): string | undefined => {
  const trimmed = typeof value === "string" ? value.trim().slice(0, maxFieldLength) : "";
  return trimmed === "" ? undefined : trimmed;
};

const list = (value: unknown): string[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const items = value.map(text).filter((item) => item !== undefined);
  return items.length > 0 ? items.slice(0, maxListLength) : undefined;
};

const seconds = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined;

function parseNode(line: string): PresencePatch {
  const [head = "", ...rest] = line.split("·").map((part) => part.trim());
  const named = /^Node:\s*(.*?)(?:\s*\(([^()]*)\))?$/.exec(head);
  const after = (word: string): string | undefined =>
    text(rest.find((part) => part.startsWith(`${word} `))?.slice(word.length + 1));
  const input = /^last input (\d{1,9})s ago$/.exec(rest.find((part) => part.startsWith("last input ")) ?? "");
  return {
    host: text(named?.[1]),
    ip: text(named?.[2]),
    version: after("app"),
    mode: after("mode"),
    reason: after("reason"),
    lastInputSeconds: input ? Number(input[1]) : undefined,
  };
}

const given = (patch: PresencePatch): PresencePatch =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));

/** Throws GatewayError("invalid") without text. Fields of a wrong type count as absent. */
export function readBeacon(params: MethodParams<"system-event">): Beacon {
  const line = typeof params.text === "string" ? params.text.trim().slice(0, maxTextLength) : "";
  if (line === "") throw new GatewayError("invalid", "text required");
  const isNode = line.startsWith("Node:");
  const stated: PresencePatch = {
    deviceId: text(params.deviceId),
    instanceId: text(params.instanceId),
    host: text(params.host),
    ip: text(params.ip),
    mode: text(params.mode),
    version: text(params.version),
    platform: text(params.platform),
    deviceFamily: text(params.deviceFamily),
    modelIdentifier: text(params.modelIdentifier),
    reason: text(params.reason),
    lastInputSeconds: seconds(params.lastInputSeconds),
    roles: list(params.roles),
    scopes: list(params.scopes),
    tags: list(params.tags),
  };
  return { text: line, isNode, fields: { ...(isNode ? given(parseNode(line)) : {}), ...given(stated), text: line } };
}
