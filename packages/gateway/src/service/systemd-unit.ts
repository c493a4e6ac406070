/** The text of a systemd unit, both ways. Pure. Quoting follows systemd.syntax(7) and systemd.service(5). */
import { ServiceError, type Definition, type ServiceCommand } from "./types.ts";

/** A configuration error: a start would fail the same way again, so the manager does not try (settled in reliability.md §6). */
export const configurationExit = 78;

export interface UnitOptions {
  /** The manager is told when the gateway answers (settled.md 25). */
  notify: boolean;
}

/** Throws ServiceError for a value that no unit can hold. */
export function renderUnit(definition: Definition, { notify }: UnitOptions): string {
  const { description, programArguments, workingDirectory, environment, stopTimeoutSeconds, user } = definition;
  const lines = [
    `# Written by "openclaw gateway install". Own settings belong in a drop-in: systemctl ${user === undefined ? "--user " : ""}edit.`,
    "[Unit]",
    `Description=${specifiers(plain(description))}`,
    "After=network-online.target",
    "Wants=network-online.target",
    "StartLimitIntervalSec=300",
    "StartLimitBurst=5",
    "",
    "[Service]",
    ...(notify ? ["Type=notify", "NotifyAccess=all"] : ["Type=simple"]),
    `ExecStart=${programArguments.map(commandWord).join(" ")}`,
    "Restart=always",
    "RestartSec=5",
    `RestartPreventExitStatus=${configurationExit}`,
    "SuccessExitStatus=143",
    "KillMode=mixed",
    `TimeoutStopSec=${stopTimeoutSeconds}`,
    // A tool that is killed for its memory does not take the gateway with it; a crash leaves no secrets in a core file. What
    // would restrict the gateway further also restricts the tools agents run (sudo, other folders), so it is not here.
    "OOMPolicy=continue",
    "LimitCORE=0",
    `WorkingDirectory=${specifiers(bare(workingDirectory))}`,
    ...(user === undefined ? [] : [`User=${plain(user)}`]),
    ...environment.map(([name, value]) => `Environment=${quote(specifiers(`${name}=${value}`))}`),
    "",
    "[Install]",
    `WantedBy=${user === undefined ? "default.target" : "multi-user.target"}`,
    "",
  ];
  return lines.join("\n");
}

const specifiers = (text: string): string => text.replaceAll("%", "%%");

/** `$` begins a variable in the arguments; the path of the program is taken as it stands. */
const commandWord = (word: string, index: number): string =>
  quote(index === 0 ? specifiers(word) : specifiers(word).replaceAll("$", "$$$$"));

function plain(text: string): string {
  if (/[\u0000-\u001f\u007f]/u.test(text)) throw badValue("the control character in", text);
  return text;
}

/** For a value that is never unquoted: blanks at its ends are lost, and a backslash there takes the next line along. */
function bare(text: string): string {
  if (/^\s|[\s\\]$/u.test(text)) throw badValue("the blank or backslash at an end of", text);
  return plain(text);
}

const badValue = (what: string, text: string): ServiceError =>
  new ServiceError({
    code: "bad-value",
    message: `A unit cannot hold ${what} ${JSON.stringify(text.slice(0, 80))}.`,
    hints: [],
  });

/** Quoted when it holds anything with a meaning of its own. */
function quote(text: string): string {
  return /[\s"'\\;]/u.test(plain(text)) || text === "" ? `"${text.replace(/["\\]/gu, "\\$&")}"` : text;
}

export interface ParsedUnit {
  /** The last value of a key, by `Section.Key`; list keys hold every value. */
  values: ReadonlyMap<string, readonly string[]>;
  command?: Omit<ServiceCommand, "sourcePath">;
}

/** Reads a unit and then its drop-ins, as systemd merges them. Never throws; of what it does not know it keeps the text.
 *  `home` stands for `%h`. */
export function parseUnit(texts: readonly string[], home: string): ParsedUnit {
  const values = new Map<string, string[]>();
  for (const text of texts) {
    let section = "";
    for (const line of logicalLines(text)) {
      const header = /^\[([^\]]*)\]$/u.exec(line);
      if (header) section = header[1] ?? "";
      const setting = /^([A-Za-z][\w-]*)\s*=\s*(.*)$/u.exec(line);
      if (!setting) continue;
      const key = `${section}.${setting[1]}`;
      // An empty value clears the list so far.
      values.set(key, setting[2] === "" ? [] : [...(values.get(key) ?? []), setting[2] ?? ""]);
    }
  }
  const expand = (text: string) =>
    text.replace(/%(.)/gu, (all, of: string) => (of === "%" ? "%" : of === "h" ? home : all));
  const words = (text: string) => split(text).map(expand);
  const start = values.get("Service.ExecStart")?.at(-1);
  if (start === undefined) return { values };
  const environment = Object.fromEntries(
    (values.get("Service.Environment") ?? []).flatMap(words).flatMap((word): [string, string][] => {
      const at = word.indexOf("=");
      return at > 0 ? [[word.slice(0, at), word.slice(at + 1)]] : [];
    }),
  );
  const [program = "", ...rest] = words(start);
  const directory = values.get("Service.WorkingDirectory")?.at(-1);
  return {
    values,
    command: {
      programArguments: [program.replace(/^[@:+!-]+/u, ""), ...rest.map((word) => word.replaceAll("$$", "$"))],
      ...(directory === undefined ? {} : { workingDirectory: expand(directory.replace(/^-/u, "")) }),
      environment,
    },
  };
}

/** Continued lines joined, comments and empty lines left out. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = "";
  for (const raw of text.replaceAll("\r\n", "\n").split("\n")) {
    const line = raw.trim();
    if (/^[#;]/u.test(line)) continue;
    if (line.endsWith("\\")) {
      open += `${line.slice(0, -1)} `;
      continue;
    }
    const whole = (open + line).trim();
    open = "";
    if (whole) lines.push(whole);
  }
  return open.trim() ? [...lines, open.trim()] : lines;
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  s: " ",
  a: "\u0007",
  b: "\b",
  f: "\f",
  v: "\v",
};

/** Words as systemd takes them apart: both kinds of quotes, backslash escapes. */
function split(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quoted = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "\\" && at + 1 < text.length) {
      const hex = /^\\x([0-9a-f]{2})/iu.exec(text.slice(at, at + 4));
      const next = text[++at] ?? "";
      word = (word ?? "") + (hex ? String.fromCharCode(Number.parseInt(hex[1] ?? "", 16)) : (escapes[next] ?? next));
      if (hex) at += 2;
    } else if (quoted) {
      if (char === quoted) quoted = "";
      else word = (word ?? "") + char;
    } else if (char === '"' || char === "'") {
      quoted = char;
      word ??= "";
    } else if (/\s/u.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  return word === undefined ? words : [...words, word];
}
