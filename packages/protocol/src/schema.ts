/** All spaces joined: the single source of dispatch table, validators, JSON Schema, Swift models and reference page. */
import type { EventDefinition, MethodDefinition } from "./define.ts";
import * as agent from "./spaces/agent.ts";
import * as agents from "./spaces/agents.ts";
import * as approvals from "./spaces/approvals.ts";
import * as channels from "./spaces/channels.ts";
import * as chat from "./spaces/chat.ts";
import * as companion from "./spaces/companion.ts";
import * as config from "./spaces/config.ts";
import * as connect from "./spaces/connect.ts";
import * as cron from "./spaces/cron.ts";
import * as devices from "./spaces/devices.ts";
import * as maintenance from "./spaces/maintenance.ts";
import * as models from "./spaces/models.ts";
import * as nodes from "./spaces/nodes.ts";
import * as sending from "./spaces/sending.ts";
import * as sessions from "./spaces/sessions.ts";
import * as skills from "./spaces/skills.ts";
import * as system from "./spaces/system.ts";
import * as usage from "./spaces/usage.ts";
import * as voice from "./spaces/voice.ts";
import * as wizard from "./spaces/wizard.ts";

const spaces = {
  connect,
  system,
  agent,
  agents,
  chat,
  sessions,
  models,
  usage,
  sending,
  channels,
  devices,
  nodes,
  approvals,
  skills,
  cron,
  config,
  voice,
  wizard,
  maintenance,
  companion,
};

/** Order of `hello-ok.features.events` (protocol.md §11.1). */
const eventOrder: readonly EventName[] = [
  "connect.challenge",
  "agent",
  "chat",
  "presence",
  "tick",
  "talk.mode",
  "shutdown",
  "health",
  "heartbeat",
  "cron",
  "node.pair.requested",
  "node.pair.resolved",
  "node.invoke.request",
  "device.pair.requested",
  "device.pair.resolved",
  "voicewake.changed",
  "exec.approval.requested",
  "exec.approval.resolved",
];

type Spaces = typeof spaces;
type Member = { [S in keyof Spaces]: Spaces[S][keyof Spaces[S]] }[keyof Spaces];
type AnyMethod = Extract<Member, { scope: unknown; params: unknown }>;
type AnyEvent = Extract<Member, { audience: unknown; payload: unknown }>;

/** Name of every declared method, planned ones included. */
export type MethodName = AnyMethod["name"];
export type EventName = AnyEvent["name"];
/** The definition with this name. */
export type MethodNamed<N extends MethodName> = Extract<AnyMethod, { name: N }>;
export type EventNamed<N extends EventName> = Extract<AnyEvent, { name: N }>;

const isMethod = (value: unknown): value is MethodDefinition =>
  typeof value === "object" && value !== null && "scope" in value && "summary" in value;
const isEvent = (value: unknown): value is EventDefinition =>
  typeof value === "object" && value !== null && "audience" in value && "summary" in value;

function byName<D extends { name: string }>(definitions: D[]): Record<string, D> {
  const found: Record<string, D> = {};
  for (const definition of definitions) {
    if (Object.hasOwn(found, definition.name)) throw new Error(`"${definition.name}" is declared twice`);
    found[definition.name] = definition;
  }
  return found;
}

function inOrder(definitions: EventDefinition[]): EventDefinition[] {
  const order: readonly string[] = eventOrder;
  for (const { name } of definitions) {
    if (!order.includes(name)) throw new Error(`event "${name}" has no place in the announced order`);
  }
  return definitions.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

const members: unknown[][] = Object.values(spaces).map((space) => Object.values<unknown>(space));
/** By name within a space: the order of a module's exports differs between loaders. */
const sortedMethods = members.flatMap((space) => space.filter(isMethod).toSorted((a, b) => (a.name < b.name ? -1 : 1)));

/** Every method by name. */
export const methods: Readonly<Record<string, MethodDefinition>> = byName(sortedMethods);
/** Every event by name, in the order in which they are announced. */
export const events: Readonly<Record<string, EventDefinition>> = byName(inOrder(members.flat().filter(isEvent)));

export { EventFrameSchema, RequestFrameSchema, ResponseFrameSchema } from "./envelope.ts";
export { ConnectParams, HelloOk } from "./spaces/connect.ts";
