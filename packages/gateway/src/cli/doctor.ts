/** `doctor`: finds what is wrong with an installation, and repairs what it is allowed to (lifecycle.md §10). */
import { locateConfig } from "../config/locate.ts";
import { displayPath } from "../kernel/paths.ts";
import { VERSION } from "../kernel/version.ts";
import type { Check, DoctorReport, Finding, Severity } from "../assembly/doctor/index.ts";
import { Interrupted } from "./command.ts";
import type { Context } from "./command.ts";
import type { Io } from "./io.ts";
import { probe } from "./probe.ts";
import { suggest } from "./profile.ts";
import { rooms } from "./rooms.ts";
import { pasteRedactor } from "./status-paste.ts";
import { localTarget, shownAddress } from "./target.ts";
import { cleanLine } from "./terminal/clean.ts";
import { folded, styleFor, widthOf, wrap } from "./terminal/style.ts";
import type { Style } from "./terminal/style.ts";

export async function run(context: Context): Promise<number> {
  const { io, options, json } = context;
  const fix = options.has("fix") || options.has("repair") || options.has("yes");
  const { ask } = io;
  const asks = ask !== undefined && !fix && !json && !options.has("non-interactive") && io.stdout.isTTY;
  const { runDoctor } = await rooms.doctor.load();
  const report = await runDoctor({
    world: await io.world(),
    version: VERSION,
    fix,
    force: options.has("force"),
    generateToken: options.has("generate-gateway-token"),
    deep: options.has("deep"),
    ...(io.machine ? { machine: io.machine } : {}),
    ...(asks
      ? { confirm: (check: Check, findings: readonly Finding[]) => confirm(context, ask, check, findings) }
      : {}),
  });
  // Somebody holds the state directory: does it also answer?
  if (report.gateway.running) report.findings.push(...(await unreachable(context)));
  if (json) context.printJson({ ok: !report.findings.some(isFault), ...report });
  else context.print(...describe(context, report, fix || asks));
  return report.repairs.some((repair) => !repair.ok) ? 1 : 0;
}

const probeMs = 3_000;

/** A gateway that runs and does not let this command in. Ctrl-C throws Interrupted. */
async function unreachable({ io }: Context): Promise<Finding[]> {
  const target = localTarget(await locateConfig(io), io);
  const result = await probe(target, io, probeMs, {});
  if (result.ok) return [];
  const cause = pasteRedactor(target, io).clean((result.error ?? "").split("\n")[0] ?? "");
  const refused = /unauthorized|pairing/.test(cause);
  return [
    {
      code: "gateway-unreachable",
      severity: "error",
      title: `A gateway runs, and does not answer this command at ${shownAddress(target.url)}.`,
      cause,
      fix: refused
        ? "It was started with another token or password; restart it, or give this shell the same one."
        : `It may be starting, listen on another port, or hang: see ${suggest(io.env, "gateway status")} and ${suggest(io.env, "logs")}.`,
      fixable: false,
    },
  ];
}

const isFault = ({ severity }: Finding): boolean => severity !== "info";

async function confirm(
  context: Context,
  ask: NonNullable<Io["ask"]>,
  check: Check,
  findings: readonly Finding[],
): Promise<boolean> {
  context.note(
    ...findings.map((finding) => cleanLine(finding.title)),
    ...new Set(findings.map((finding) => `  ${cleanLine(finding.fix)}`)),
  );
  const answer = await ask(`Repair ${check.id}? [Y/n] `);
  // The end of the input, or Ctrl-C: nobody is there to agree.
  if (answer === undefined) throw new Interrupted();
  return /^(y(es)?)?$/iu.test(answer.trim());
}

const marks: Readonly<Record<Severity, { word: string; paint: keyof Style }>> = {
  error: { word: "error", paint: "error" },
  warn: { word: "warn", paint: "warn" },
  info: { word: "note", paint: "muted" },
};

function describe({ io }: Context, report: DoctorReport, repaired: boolean): string[] {
  const style = styleFor(io.stdout, io.env);
  const width = Math.min(100, widthOf(io.stdout));
  const show = (path: string) => displayPath(path, io);
  const body = (text: string) => wrap(cleanLine(text), width - 7).map((line) => `       ${line}`);
  const { gateway } = report;
  const lines = [
    `Config: ${show(report.config.path)}${report.config.verdict === "ok" ? "" : ` (${report.config.verdict})`}`,
    `State dir: ${show(report.stateDir)}`,
    `Gateway: ${gateway.running ? `running (pid ${gateway.pid ?? "unknown"}, port ${gateway.port ?? "unknown"})` : "not running"}`,
  ];
  for (const { severity, title, cause, fix, code } of report.findings) {
    const { word, paint } = marks[severity];
    const [first = "", ...rest] = body(`${title} (${code})`);
    lines.push("", `${style[paint](word.padEnd(5))}  ${first.trim()}`, ...rest, ...body(cause), ...body(`Fix: ${fix}`));
  }
  if (report.repairs.length > 0) lines.push("", "Repairs");
  for (const { ok, text, code } of report.repairs) {
    lines.push(`${ok ? style.success("done ") : style.error("failed")} ${cleanLine(text)} (${code})`);
  }
  if (report.repairs.some(({ ok }) => ok) && gateway.running)
    lines.push("A running gateway reads a changed config by itself.");
  if (report.backup) lines.push(`What was replaced is kept in ${show(report.backup)}`);
  for (const reason of report.skipped) lines.push("", `Not checked: ${cleanLine(reason)}`);
  lines.push("", summary(report));
  if (!repaired && report.findings.some(({ fixable }) => fixable)) {
    lines.push(`Run "${suggest(io.env, "doctor --fix")}" to apply changes.`);
  }
  lines.push("Doctor complete.");
  return folded(io.stdout, lines);
}

function summary({ findings, checks }: DoctorReport): string {
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const parts = [
    [count("error"), "error"],
    [count("warn"), "warning"],
    [count("info"), "note"],
  ] as const;
  const said = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}${n === 1 ? "" : "s"}`);
  return `${checks} checks: ${said.length > 0 ? said.join(", ") : "nothing to complain about"}.`;
}
