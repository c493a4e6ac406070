/** The standing rules for commands as a form edits them (protocol.md §13.11). Pure: every change is a new file, and what the
 *  form does not know stays in it. */
import type { MethodParams, MethodResult } from "@openclaw/protocol";
import { isRecord } from "../../gateway/index.ts";

export type RulesFile = MethodParams<"exec.approvals.set">["file"];
export type Snapshot = Omit<MethodResult<"exec.approvals.get">, "file"> & { file: RulesFile };
export type Policy = NonNullable<RulesFile["defaults"]>;
type AgentRules = NonNullable<RulesFile["agents"]>[string];
export type Allowed = NonNullable<AgentRules["allowlist"]>[number];

/** `undefined`: the defaults. `*` is every agent. */
export type Scope = string | undefined;
export const everyAgent = "*";

/** What holds where nothing is written (agent.md §4.6). */
export const builtIn = { security: "deny", ask: "on-miss", askFallback: "deny", autoAllowSkills: false } as const;

export const policyOf = (file: RulesFile, scope: Scope): Policy =>
  (scope === undefined ? file.defaults : file.agents?.[scope]) ?? {};

/** What holds in a scope when it says nothing itself. */
export function inherited(file: RulesFile, scope: Scope): Required<Policy> {
  const above: Policy[] = scope === undefined ? [] : [file.defaults ?? {}];
  if (scope !== undefined && scope !== everyAgent) above.push(file.agents?.[everyAgent] ?? {});
  return Object.assign({}, builtIn, ...above.map(policyPart));
}

function policyPart({ security, ask, askFallback, autoAllowSkills }: Policy): Policy {
  return {
    ...(security === undefined ? {} : { security }),
    ...(ask === undefined ? {} : { ask }),
    ...(askFallback === undefined ? {} : { askFallback }),
    ...(autoAllowSkills === undefined ? {} : { autoAllowSkills }),
  };
}

/** `undefined` takes the value away, so that the one above holds. */
export function withPolicy<N extends keyof Policy>(
  file: RulesFile,
  scope: Scope,
  name: N,
  value: Policy[N] | undefined,
): RulesFile {
  const { [name]: _old, ...rest } = policyOf(file, scope);
  return withScope(file, scope, value === undefined ? rest : { ...rest, [name]: value });
}

export const allowedOf = (file: RulesFile, scope: Scope): readonly Allowed[] =>
  scope === undefined ? [] : (file.agents?.[scope]?.allowlist ?? []);

export function withAllowed(file: RulesFile, scope: string, pattern: string): RulesFile {
  return withAllowlist(file, scope, [...allowedOf(file, scope), { pattern }]);
}

export function withoutAllowed(file: RulesFile, scope: string, at: number): RulesFile {
  return withAllowlist(
    file,
    scope,
    allowedOf(file, scope).filter((_entry, index) => index !== at),
  );
}

function withAllowlist(file: RulesFile, scope: string, allowlist: readonly Allowed[]): RulesFile {
  return withScope(file, scope, { ...policyOf(file, scope), allowlist: [...allowlist] });
}

function withScope(file: RulesFile, scope: Scope, rules: AgentRules): RulesFile {
  if (scope === undefined) return { ...file, defaults: rules };
  return { ...file, agents: { ...file.agents, [scope]: rules } };
}

/** What is wrong with a pattern; undefined when it can be added. */
export function patternFault(file: RulesFile, scope: string, pattern: string): string | undefined {
  if (!pattern.includes("/") && !pattern.includes("\\"))
    return "A pattern is a path, such as /usr/bin/rg or **/rg: names alone never match.";
  if (allowedOf(file, scope).some((entry) => entry.pattern === pattern)) return "It is in the list already.";
  return undefined;
}

/** The answer of the gateway or of a node; the latter nobody validated. */
export function asSnapshot(answer: unknown): Snapshot {
  const found = isRecord(answer) && isRecord(answer.payload) ? answer.payload : answer;
  if (!isRecord(found) || typeof found.hash !== "string" || !isRecord(found.file))
    throw new Error("The answer is something else than rules for commands.");
  return found as unknown as Snapshot;
}
