/** One run of the table: look, repair what was allowed, look again. */
import { secretsOf, documentSchema } from "../../config/index.ts";
import { Redactor } from "../../kernel/redact.ts";
import type { World } from "../../kernel/world.ts";
import { declared } from "../sections.ts";
import { messageOf, type Check, type DoctorContext, type Finding, type Found, type RepairClass } from "./check.ts";
import { Keeper, readContext } from "./context.ts";

export interface DoctorOptions {
  world: World;
  version: string;
  /** Make the plain repairs. */
  fix: boolean;
  /** Also those that give something up. Means nothing without `fix` or `confirm`. */
  force: boolean;
  /** Write a new token where the check of the token asks for one, also without `fix`. */
  generateToken: boolean;
  deep: boolean;
  /** Only tests look at a machine of their own. */
  machine?: DoctorContext["machine"];
  /** Asks the person, once per check. Without it, and without `fix`, nothing is repaired. */
  confirm?: (check: Check, findings: readonly Finding[]) => Promise<boolean>;
}

export interface Repair {
  code: string;
  ok: boolean;
  /** What was done, or why it could not be. */
  text: string;
}

export interface DoctorReport {
  /** What is still so after the repairs. */
  findings: Finding[];
  repairs: Repair[];
  /** What could not be looked at, and why. */
  skipped: string[];
  checks: number;
  config: { path: string; verdict: string };
  stateDir: string;
  gateway: { running: boolean; pid?: number; port?: number };
  /** Where copies of replaced files are; absent when nothing was replaced. */
  backup?: string;
}

/** Never throws for what it finds: a check that fails is skipped with its reason. */
export async function runChecks(table: readonly Check[], options: DoctorOptions): Promise<DoctorReport> {
  const { world, version, deep } = options;
  const machine = options.machine ? { machine: options.machine } : {};
  const skipped = new Set<string>();
  const first = readContext({ world, version, deep, ...machine, keeper: new Keeper("", world), skip: () => {} });
  const keeper = new Keeper(first.state, world);
  const read = () =>
    readContext({ world, version, deep, ...machine, keeper, skip: (reason) => void skipped.add(reason) });
  const redactor = new Redactor();
  let context = read();
  registerSecrets(redactor, context);
  const findings: Finding[] = [];
  const repairs: Repair[] = [];
  for (const check of table) {
    const look = () => find(check, context, skipped);
    let found = await look();
    const repairable = found.filter((finding) => finding.fixable);
    if (repairable.length > 0 && (await allowed(check, repairable, options))) {
      for (const finding of repairable) repairs.push(...(await repair(check, finding, context)));
      context = read();
      registerSecrets(redactor, context);
      found = await look();
    }
    findings.push(...found);
  }
  const { status, running } = context;
  const report: DoctorReport = {
    findings,
    repairs,
    skipped: [...skipped],
    checks: table.length,
    config: { path: context.configPath, verdict: context.snapshot.verdict },
    stateDir: context.state,
    gateway: { running, ...(running && status ? { pid: status.pid, port: status.port } : {}) },
    ...(keeper.folder === undefined ? {} : { backup: keeper.folder }),
  };
  return cleaned(report, redactor);
}

async function find(check: Check, context: DoctorContext, skipped: Set<string>): Promise<Finding[]> {
  try {
    return (await check.find(context)).map((found) => findingOf(check, found));
  } catch (error) {
    skipped.add(`${check.id} could not look: ${messageOf(error)}`);
    return [];
  }
}

const findingOf = (check: Check, { fixable, ...found }: Found): Finding => ({
  code: check.id,
  ...found,
  fixable: check.fix !== undefined && fixable !== false,
});

async function allowed(check: Check, findings: readonly Finding[], options: DoctorOptions): Promise<boolean> {
  const { fix, force, generateToken, confirm } = options;
  const needs: RepairClass = check.repair ?? "plain";
  if (generateToken && check.id.startsWith("auth-")) return true;
  if (needs === "token") return false;
  if (needs === "forced" && !force) return false;
  return fix || (confirm !== undefined && (await confirm(check, findings)));
}

async function repair(check: Check, finding: Finding, context: DoctorContext): Promise<Repair[]> {
  try {
    const lines = (await check.fix?.(finding, context)) ?? [];
    return lines.map((text) => ({ code: check.id, ok: true, text }));
  } catch (error) {
    return [{ code: check.id, ok: false, text: messageOf(error) }];
  }
}

const secretName = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD)$/u;

function registerSecrets(redactor: Redactor, { snapshot, document, world }: DoctorContext): void {
  for (const secret of secretsOf(snapshot.config ?? document, documentSchema(declared))) redactor.add(secret);
  for (const [name, value] of Object.entries({ ...snapshot.env, ...world.env }))
    if (value && secretName.test(name)) redactor.add(value);
}

/** Every text of the report, without secrets: parse errors quote the file. */
function cleaned(report: DoctorReport, redactor: Redactor): DoctorReport {
  const clean = (value: string) => redactor.clean(value);
  return {
    ...report,
    findings: report.findings.map((finding) => ({
      ...finding,
      title: clean(finding.title),
      cause: clean(finding.cause),
      fix: clean(finding.fix),
    })),
    repairs: report.repairs.map((repaired) => ({ ...repaired, text: clean(repaired.text) })),
    skipped: report.skipped.map(clean),
  };
}
