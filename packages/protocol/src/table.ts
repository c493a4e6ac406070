/** Lookups in the generated tables. Names come from outside, so they never reach a prototype. */
import { eventTable, methodTable } from "../generated/table.ts";
import type { DuplicateRule, EventAudience, MethodScope, WhenSlow } from "./define.ts";

export { eventTable, methodTable };

/** What dispatch needs to know of a method. */
export interface MethodRow {
  readonly scope: MethodScope;
  readonly idempotent: boolean;
  readonly hasAck: boolean;
  readonly duplicate: DuplicateRule;
  readonly bypass: boolean;
  readonly planned: boolean;
  readonly advertise: boolean;
  readonly since: 3 | 4;
  readonly duringStartup: boolean;
  readonly rate?: { readonly calls: number; readonly perMs: number };
}

/** What fan-out needs to know of an event. */
export interface EventRow {
  readonly audience: EventAudience;
  readonly whenSlow: WhenSlow;
  readonly stateVersion: boolean;
  readonly planned: boolean;
}

const methodRows: Readonly<Record<string, MethodRow>> = methodTable;
const eventRows: Readonly<Record<string, EventRow>> = eventTable;

/** The row of a declared method, planned or not; undefined for any other name. */
export const methodRow = (name: string): MethodRow | undefined =>
  Object.hasOwn(methodRows, name) ? methodRows[name] : undefined;

export const eventRow = (name: string): EventRow | undefined =>
  Object.hasOwn(eventRows, name) ? eventRows[name] : undefined;
