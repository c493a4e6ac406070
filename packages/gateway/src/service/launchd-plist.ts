/** The text of a LaunchAgent, both ways (lifecycle.md §9.4). Pure. */
import { join } from "node:path";
import { ServiceError, type Definition, type ServiceCommand } from "./types.ts";

/** launchd waits this long between two starts (R-SVC-5). */
const throttleSeconds = 10;

export interface PlistOptions {
  label: string;
  /** Beginning of the names of both output files. */
  logPrefix: string;
}

export const logFiles = (stateDir: string, logPrefix: string): { out: string; err: string } => ({
  out: join(stateDir, "logs", `${logPrefix}.log`),
  err: join(stateDir, "logs", `${logPrefix}.err.log`),
});

export function renderPlist(definition: Definition, { label, logPrefix }: PlistOptions): string {
  const { description, programArguments, workingDirectory, environment, stateDir, stopTimeoutSeconds } = definition;
  const logs = logFiles(stateDir, logPrefix);
  const entries: [key: string, value: string][] = [
    ["Label", text(label)],
    ["Comment", text(description)],
    ["RunAtLoad", "<true/>"],
    ["KeepAlive", "<true/>"],
    ["ThrottleInterval", `<integer>${throttleSeconds}</integer>`],
    ["ExitTimeOut", `<integer>${stopTimeoutSeconds}</integer>`],
    ["ProgramArguments", block("array", programArguments.map(text))],
    ["WorkingDirectory", text(workingDirectory)],
    ["StandardOutPath", text(logs.out)],
    ["StandardErrorPath", text(logs.err)],
    [
      "EnvironmentVariables",
      block(
        "dict",
        environment.flatMap(([name, value]) => [key(name), text(value)]),
      ),
    ],
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    "<dict>",
    ...entries.flatMap(([name, value]) => [`  ${key(name)}`, ...value.split("\n").map((line) => `  ${line}`)]),
    "</dict>",
    "</plist>",
    "",
  ].join("\n");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Throws ServiceError for what XML cannot hold, and for line breaks: a path or variable with one is a mistake or an attack. */
export function escapeXml(value: string): string {
  if (/[\u0000-\u001f\u007f\ufffe\uffff]/u.test(value) || !value.isWellFormed()) {
    throw new ServiceError({
      code: "bad-value",
      message: `A service definition cannot hold the control character in ${JSON.stringify(value.slice(0, 80))}.`,
      hints: [],
    });
  }
  return value.replace(/[&<>"']/gu, (char) => entities[char] ?? char);
}

const text = (value: string): string => `<string>${escapeXml(value)}</string>`;
const key = (name: string): string => `<key>${escapeXml(name)}</key>`;
const block = (tag: string, lines: readonly string[]): string =>
  [`<${tag}>`, ...lines.map((line) => `  ${line}`), `</${tag}>`].join("\n");

type Value = string | number | boolean | Value[] | { [key: string]: Value };

export interface ParsedPlist {
  label?: string;
  keepAlive: boolean;
  runAtLoad: boolean;
  exitTimeOut?: number;
  /** Where its output goes. */
  out?: string;
  err?: string;
  command?: Omit<ServiceCommand, "sourcePath">;
}

/** Reads what the XML form of a property list says. Undefined when it is not one: binary, torn, or something else. */
export function parsePlist(source: string): ParsedPlist | undefined {
  const root = readValue(source);
  if (typeof root !== "object" || Array.isArray(root)) return undefined;
  const words = root.ProgramArguments;
  const environment = root.EnvironmentVariables;
  const directory = root.WorkingDirectory;
  const label = typeof root.Label === "string" ? root.Label : undefined;
  const strings = (value: Value | undefined): string[] =>
    Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
  const variables =
    typeof environment === "object" && !Array.isArray(environment)
      ? Object.entries(environment).filter((pair): pair is [string, string] => typeof pair[1] === "string")
      : [];
  return {
    ...(label === undefined ? {} : { label }),
    keepAlive: root.KeepAlive === true,
    runAtLoad: root.RunAtLoad === true,
    ...(typeof root.ExitTimeOut === "number" ? { exitTimeOut: root.ExitTimeOut } : {}),
    ...(typeof root.StandardOutPath === "string" ? { out: root.StandardOutPath } : {}),
    ...(typeof root.StandardErrorPath === "string" ? { err: root.StandardErrorPath } : {}),
    ...(strings(words).length === 0
      ? {}
      : {
          command: {
            programArguments: strings(words),
            ...(typeof directory === "string" ? { workingDirectory: directory } : {}),
            environment: Object.fromEntries(variables),
          },
        }),
  };
}

const decoded: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const unescapeXml = (value: string): string =>
  value.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/giu, (all, decimal: string, hex: string, name: string) => {
    if (name) return decoded[name] ?? all;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code < 0x11_0000 ? String.fromCodePoint(code) : all;
  });

function readValue(source: string): Value | undefined {
  const body = source.replace(/<!--[\s\S]*?-->/gu, "").replace(/^[\s\S]*?<plist[^>]*>/u, "");
  if (body === source) return undefined;
  const tokens = [...body.matchAll(/<(\/?)(\w+)\s*(\/?)>([^<]*)/gu)];
  let at = 0;
  const value = (): Value | undefined => {
    const token = tokens[at++];
    if (!token || token[1]) return undefined;
    const [, , tag = "", empty, inner = ""] = token;
    if (tag === "true" || tag === "false") return tag === "true";
    if (tag === "array" || tag === "dict")
      return empty ? (tag === "array" ? [] : {}) : tag === "array" ? array() : dict();
    if (!empty) at++;
    const plain = unescapeXml(inner);
    return tag === "integer" || tag === "real" ? Number(plain) : plain;
  };
  const closed = (tag: string) => {
    const token = tokens[at];
    if (token && !(token[1] && token[2] === tag)) return false;
    at++;
    return true;
  };
  const array = (): Value[] | undefined => {
    const list: Value[] = [];
    while (!closed("array")) {
      const each = value();
      if (each === undefined) return undefined;
      list.push(each);
    }
    return list;
  };
  const dict = (): { [key: string]: Value } | undefined => {
    const entries: [string, Value][] = [];
    while (!closed("dict")) {
      if (tokens[at]?.[2] !== "key") return undefined;
      const name = value();
      const each = value();
      if (typeof name !== "string" || each === undefined) return undefined;
      entries.push([name, each]);
    }
    return Object.fromEntries(entries);
  };
  return value();
}
