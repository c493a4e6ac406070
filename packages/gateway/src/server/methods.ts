/** What dispatch knows of each method, looked up once per request: row, handler, validator (architecture §5). */
import {
  methodRow,
  methodTable,
  type MethodName,
  type MethodRow,
  type ProtocolVersion,
  type Role,
  type Scope,
} from "@openclaw/protocol";
import type { Handler, Identity } from "../kernel/call.ts";
import type { HandlerTable } from "./ports.ts";

/** Text of what is wrong with the params of a method, or undefined when they are fine. */
export type ParamsValidator = (method: string, params: unknown, protocol: ProtocolVersion) => string | undefined;

export interface MethodEntry extends MethodRow {
  readonly name: MethodName;
  readonly handler: Handler<MethodName>;
  /** May stay open for minutes: counted apart from the calls in flight (protocol.md §1.3, 11). */
  readonly longWait: boolean;
  /** Reads only: answered while draining. */
  readonly harmless: boolean;
}

const longWaits: ReadonlySet<string> = new Set([
  "agent",
  "agent.wait",
  "exec.approval.request",
  "exec.approval.waitDecision",
  "node.invoke",
  "web.login.wait",
]);

/** Methods that can be called: built ones that have a handler. */
export function methodEntries(handlers: HandlerTable): ReadonlyMap<string, MethodEntry> {
  const entries = new Map<string, MethodEntry>();
  for (const name of Object.keys(methodTable) as MethodName[]) {
    const row = methodRow(name);
    const handler = handlers.get(name);
    if (!row || !handler || row.planned || name === "connect") continue;
    const harmless =
      row.bypass || row.duringStartup || row.scope === "none" || row.scope === "operator.read" || name === "agent.wait";
    entries.set(name, { ...row, name, handler, longWait: longWaits.has(name), harmless });
  }
  return entries;
}

export interface Denial {
  message: string;
  /** The scope that was missing; absent when the role is wrong. */
  missing?: Scope;
}

/** Authorisation of protocol.md §8.3, steps 1 to 3. A name that is not declared needs admin, so that a limited client learns
 *  nothing about it. A declared one needs its scope even when it cannot be called: clients that ask for the least they need
 *  probe it, and take "unknown method" for a missing feature but "missing scope" for a failure. */
export function denied(method: string, identity: Identity): Denial | undefined {
  const role: Role = identity.role;
  const scope = methodRow(method)?.scope ?? "operator.admin";
  if (scope === "none") return undefined;
  if ((scope === "node") !== (role === "node")) return { message: `unauthorized role: ${role}` };
  if (scope === "node" || identity.can(scope)) return undefined;
  return { message: `missing scope: ${scope}`, missing: scope };
}
