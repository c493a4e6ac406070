/** The two files of a Windows scheduled task, and what `schtasks` says of it (lifecycle.md §9.5). Pure. */
import { escapeXml } from "./launchd-plist.ts";
import { ServiceError, type Definition, type ServiceCommand, type ServiceRuntime } from "./types.ts";

/** The command script the task runs, UTF-8 with CRLF. Throws ServiceError for a value a script cannot hold. */
export function renderScript({ description, programArguments, workingDirectory, environment }: Definition): string {
  const lines = [
    "@echo off",
    `rem ${plain(description)}`,
    `cd /d "${plain(workingDirectory)}"`,
    ...environment.map(([name, value]) => `set "${name}=${plain(value)}"`),
    programArguments.map((word) => `"${plain(word)}"`).join(" "),
    "",
  ];
  // cmd reads a script in the code page of the machine; the file is UTF-8.
  if (/[^\u0000-\u007f]/u.test(lines.join(""))) lines.splice(1, 0, "chcp 65001 >nul");
  return lines.join("\r\n");
}

/** In a script `%` begins a variable, and a quote ends one of its words. */
function plain(text: string): string {
  if (/["\u0000-\u001f\u007f]/u.test(text)) {
    throw new ServiceError({
      code: "bad-value",
      message: `A command script cannot hold ${JSON.stringify(text.slice(0, 80))}.`,
      hints: [],
    });
  }
  return text.replaceAll("%", "%%");
}

/** The task as XML: only so can its time limit of three days be taken away. */
export function renderTask(definition: Definition, script: string, user: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-16"?>',
    '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
    "  <RegistrationInfo>",
    `    <Description>${escapeXml(definition.description)}</Description>`,
    "  </RegistrationInfo>",
    "  <Triggers>",
    "    <LogonTrigger>",
    "      <Enabled>true</Enabled>",
    `      <UserId>${escapeXml(user)}</UserId>`,
    "    </LogonTrigger>",
    "  </Triggers>",
    "  <Principals>",
    '    <Principal id="Author">',
    `      <UserId>${escapeXml(user)}</UserId>`,
    "      <LogonType>InteractiveToken</LogonType>",
    "      <RunLevel>LeastPrivilege</RunLevel>",
    "    </Principal>",
    "  </Principals>",
    "  <Settings>",
    "    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>",
    "    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>",
    "    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>",
    "    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>",
    "    <RestartOnFailure>",
    "      <Interval>PT1M</Interval>",
    "      <Count>255</Count>",
    "    </RestartOnFailure>",
    "  </Settings>",
    '  <Actions Context="Author">',
    "    <Exec>",
    `      <Command>${escapeXml(script)}</Command>`,
    "    </Exec>",
    "  </Actions>",
    "</Task>",
    "",
  ].join("\r\n");
}

export function parseScript(text: string): Omit<ServiceCommand, "sourcePath"> | undefined {
  const environment: Record<string, string> = {};
  let workingDirectory: string | undefined;
  let words: string[] = [];
  const undouble = (value: string) => value.replaceAll("%%", "%");
  for (const line of text.split(/\r?\n/u)) {
    const variable = /^set "([^=]+)=(.*)"$/u.exec(line);
    const folder = /^cd \/d "(.*)"$/u.exec(line);
    if (variable) environment[variable[1] ?? ""] = undouble(variable[2] ?? "");
    else if (folder) workingDirectory = undouble(folder[1] ?? "");
    else if (line.startsWith('"')) words = [...line.matchAll(/"([^"]*)"/gu)].map((match) => undouble(match[1] ?? ""));
  }
  if (words.length === 0) return undefined;
  return { programArguments: words, ...(workingDirectory === undefined ? {} : { workingDirectory }), environment };
}

/** `schtasks /Query /V /FO LIST`: its labels are those of English Windows; elsewhere only that it is registered is known. */
export function runtimeOfQuery(text: string): ServiceRuntime {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "mu").exec(text)?.[1]?.trim();
  const state = field("Status");
  const result = field("Last Result");
  const time = field("Last Run Time");
  return {
    status: state === undefined ? "unknown" : state === "Running" ? "running" : "stopped",
    ...(state ? { state } : {}),
    ...(result ? { lastRunResult: result } : {}),
    ...(time ? { lastRunTime: time } : {}),
  };
}
