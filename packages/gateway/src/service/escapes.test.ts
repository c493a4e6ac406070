/** Paths that mean something to whoever reads the definition: they reach it as they are, or are refused. */
import { expect, test } from "vitest";
import { parsePlist, renderPlist } from "./launchd-plist.ts";
import { serviceNames } from "./names.ts";
import { parseUnit, renderUnit } from "./systemd-unit.ts";
import { ServiceError, type Definition } from "./types.ts";
import { parseScript, renderScript } from "./windows-task.ts";

const definition = (over: Partial<Definition> = {}): Definition => ({
  description: "OpenClaw Gateway",
  programArguments: ["/usr/bin/node", "/opt/main.js", "gateway"],
  workingDirectory: "/home/ann",
  environment: [["HOME", "/home/ann"]],
  stateDir: "/home/ann/.openclaw",
  stopTimeoutSeconds: 15,
  ...over,
});
const plist = { label: "bot.molt.gateway", logPrefix: "gateway" };

test.each(["/home/ann lee", "/home/100%n", "/home/$HOME", "/home/ann's & <co>", "/home/жанна/日本", '/home/"q"'])(
  "%s as home, program and argument comes back from all three definitions",
  (path) => {
    const words = [`${path}/node`, `${path}/main.js`];
    const made = definition({ programArguments: words, workingDirectory: path, environment: [["HOME", path]] });
    const expected = { programArguments: words, workingDirectory: path, environment: { HOME: path } };
    expect(parseUnit([renderUnit(made, { notify: true })], "/home/x").command).toEqual(expected);
    expect(parsePlist(renderPlist(made, plist))?.command).toEqual(expected);
    if (path.includes('"')) expect(() => renderScript(made)).toThrow(ServiceError);
    else expect(parseScript(renderScript(made))).toEqual(expected);
  },
);

test("systemd takes the path of the program as it stands, and variables out of its arguments only", () => {
  const unit = renderUnit(definition({ programArguments: ["/opt/$a b/node", "$HOME"] }), { notify: true });
  expect(unit).toContain('ExecStart="/opt/$a b/node" $$HOME\n');
});

test.each(["/home/ann\\", "/home/ann ", " /home/ann"])(
  "a folder a unit would read as another one is refused: %j",
  (workingDirectory) => {
    expect(() => renderUnit(definition({ workingDirectory }), { notify: true })).toThrow(/blank or backslash/u);
  },
);

test.each(["/home/a\nb", "/home/a\u0000b", "/home/a\u0007b", "/home/a\uffffb", "/home/a\ud800b"])(
  "a property list with %j would not be one, and is not written",
  (workingDirectory) => {
    expect(() => renderPlist(definition({ workingDirectory }), plist)).toThrow(/control character/u);
  },
);

test("a script with letters beyond ASCII says first how it is to be read", () => {
  const lines = (made: Definition) => renderScript(made).split("\r\n");
  expect(lines(definition({ workingDirectory: "C:\\Users\\Jürgen" })).slice(0, 2)).toEqual([
    "@echo off",
    "chcp 65001 >nul",
  ]);
  expect(lines(definition({ workingDirectory: "C:\\Users\\\u{1f600}" }))).toContain("chcp 65001 >nul");
  expect(lines(definition()).join()).not.toContain("chcp");
});

test.each([
  ["OPENCLAW_PROFILE", "../../evil"],
  ["OPENCLAW_PROFILE", "a b"],
  ["OPENCLAW_SYSTEMD_UNIT", "../x.service"],
  ["OPENCLAW_SYSTEMD_UNIT", "a b"],
  ["OPENCLAW_LAUNCHD_LABEL", "../../Library/x"],
  ["OPENCLAW_LAUNCHD_LABEL", "a\nb"],
  ["OPENCLAW_WINDOWS_TASK_NAME", 'a" /RU SYSTEM'],
])("a service is not called by %s=%j", (name, value) => {
  expect(() => serviceNames({ [name]: value })).toThrow(name);
});

test("names of people's own are taken as they are", () => {
  expect(
    serviceNames({
      OPENCLAW_PROFILE: "rescue-2",
      OPENCLAW_SYSTEMD_UNIT: "my.gateway@1",
      OPENCLAW_LAUNCHD_LABEL: "org.example.gateway",
      OPENCLAW_WINDOWS_TASK_NAME: "Folder\\My gateway (2)",
    }),
  ).toMatchObject({
    profile: "rescue-2",
    unit: "my.gateway@1.service",
    launchdLabel: "org.example.gateway",
    task: "Folder\\My gateway (2)",
  });
});
