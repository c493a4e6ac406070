/** What `gateway status` says in each situation, for people and as JSON: `golden/gateway-status/<situation>.txt`. After an
 *  intended change: `npm test -- packages/gateway/src/cli/gateway-status.test.ts -u`, and read the difference. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { helloOk } from "../../../client/src/fake-gateway.ts";
import type { FakeGateway } from "../../../client/src/fake-gateway.ts";
import { VERSION } from "../kernel/version.ts";
import { fakeMachine, showing, withSystemd, type FakeMachine } from "../service/machine.fixture.ts";
import { entryOf, programAt } from "../service/program.ts";
import { answering, cli, gateway, home, withHome } from "./fake-terminal.ts";

withHome();

let machine: FakeMachine;
const entry = entryOf(programAt(import.meta.dirname));
const token = "T";
const cleanups: (() => unknown)[] = [];

beforeEach(() => {
  machine = fakeMachine({ home });
  machine.file("/usr/bin/node");
  machine.file(entry);
  config({ gateway: { mode: "local", port: 1, auth: { token } } });
});
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
  machine.remove();
});

function config(document: unknown, path = join(home, ".openclaw", "openclaw.json")): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, typeof document === "string" ? document : JSON.stringify(document));
}

interface UnitLines {
  port?: number;
  runtime?: string;
  version?: string;
  environment?: readonly string[];
  /** Lines of [Service] in place of the recommended ones. */
  service?: readonly string[];
}

function unit({
  port = 18_789,
  runtime = "/usr/bin/node",
  version = VERSION,
  environment = [],
  service,
}: UnitLines = {}): string {
  return [
    "[Unit]",
    "After=network-online.target",
    "Wants=network-online.target",
    "StartLimitIntervalSec=300",
    "[Service]",
    `ExecStart=${runtime} --disable-warning=ExperimentalWarning --max-semi-space-size=4 ${entry} gateway --port ${port}`,
    ...(service ?? [
      "Type=notify",
      "Restart=always",
      "RestartSec=5",
      "RestartPreventExitStatus=78",
      "TimeoutStopSec=15",
    ]),
    `Environment=HOME=${home}`,
    "Environment=PATH=/usr/local/bin:/usr/bin:/bin",
    `Environment=OPENCLAW_GATEWAY_PORT=${port}`,
    ...environment.map((each) => `Environment=${each}`),
    "Environment=OPENCLAW_SERVICE_MARKER=openclaw OPENCLAW_SERVICE_KIND=gateway",
    `Environment=OPENCLAW_SERVICE_VERSION=${version}`,
    "[Install]",
    "WantedBy=default.target",
  ].join("\n");
}

const userUnits = () => join(home, ".config", "systemd", "user");
function install(text = unit(), name = "openclaw-gateway.service", folder = userUnits()): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
}

const hello = (version: string) => helloOk({ server: { version, connId: "c1" } });

/** A gateway that answers, as version `version`. */
const answer = async (version = VERSION): Promise<FakeGateway> => {
  const fake = await gateway((request, peer) => {
    if (request.method !== "connect") return answering({ status: {} })(request, peer);
    peer.answer(request, hello(version));
    return true;
  });
  config({ gateway: { mode: "local", port: fake.port, auth: { token } } });
  return fake;
};

/** A port that something else holds. */
async function stranger(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

interface Seen {
  words?: string;
  env?: Record<string, string>;
  platform?: NodeJS.Platform;
  port?: number;
}

/** Both outputs, with everything that differs between two machines replaced. */
async function golden({ words = "", env = {}, platform = "linux", port }: Seen): Promise<string> {
  const setting = { env: { ...machine.env(), ...env }, platform, machine: { root: machine.root, uid: machine.uid } };
  const human = await cli(`gateway status ${words}`, setting);
  const json = await cli(`gateway status ${words} --json`, setting);
  expect([human.code, human.err, json.code, json.err]).toEqual([0, "", 0, ""]);
  JSON.parse(json.out);
  return plain(`${human.out}\n${json.out}`, port);
}

function plain(text: string, port?: number): string {
  let out = text
    .replaceAll(entry, "<entry>")
    .replaceAll(machine.root, "<root>")
    .replaceAll(home, "<home>")
    .replaceAll(VERSION, "<version>");
  if (port !== undefined) out = out.replaceAll(String(port), "<port>");
  out = out.replaceAll(new RegExp(`\\b${process.pid}\\b`, "gu"), "<pid>");
  return out
    .replaceAll(/^- pid \S+ .* \((.*)\)$/gmu, "- pid <pid> <user>: <command> ($1)")
    .replaceAll(
      /"pid": \S+,\n(\s*)"user": .*\n.*"command": .*\n.*"commandLine": .*\n/gu,
      '"pid": <pid>, <user and command>\n',
    )
    .replaceAll(/ by \S+( \S+)* \(pid (?!4711)\S+\)/gu, " by <command> (pid <pid>)");
}

const closed = { OPENCLAW_GATEWAY_PORT: "1" };
const absent = { LoadState: "not-found", ActiveState: "inactive", SubState: "dead", UnitFileState: "", MainPID: "0" };
const failed = { ActiveState: "failed", SubState: "failed", MainPID: "0", ExecMainCode: "1" };

/** Each sets the scene and returns how the command is called. */
const situations: Record<string, () => Promise<Seen> | Seen> = {
  "not-installed": () => {
    withSystemd(machine);
    showing(machine, absent);
    return {};
  },
  foreground: async () => {
    withSystemd(machine);
    showing(machine, absent);
    const { port } = await answer();
    return { port };
  },
  running: async () => {
    withSystemd(machine);
    const { port } = await answer();
    install(unit({ port }));
    return { port };
  },
  "not-probed": () => {
    withSystemd(machine);
    install();
    return { words: "--no-probe" };
  },
  stopped: () => {
    withSystemd(machine);
    showing(machine, { ActiveState: "inactive", SubState: "dead", MainPID: "0" });
    install(unit({ port: 1 }));
    return {};
  },
  disabled: () => {
    withSystemd(machine);
    showing(machine, { ActiveState: "inactive", SubState: "dead", MainPID: "0", UnitFileState: "disabled" });
    install(unit({ port: 1 }));
    return {};
  },
  "port-closed": () => {
    withSystemd(machine);
    machine.tool(
      "journalctl",
      "echo listening soon; echo 'Gateway failed to start: failed to bind gateway socket'; echo bye",
    );
    install(unit({ port: 1 }));
    return {};
  },
  "port-taken": async () => {
    withSystemd(machine);
    showing(machine, {
      ActiveState: "activating",
      SubState: "auto-restart",
      MainPID: "0",
      ExecMainCode: "1",
      ExecMainStatus: "1",
      NRestarts: "3",
    });
    const port = await stranger();
    config({ gateway: { mode: "local", port, auth: { token } } });
    install(unit({ port }));
    return { words: "--timeout 1500", port };
  },
  "no-answer": async () => {
    withSystemd(machine);
    showing(machine, { MainPID: String(process.pid) });
    const port = await stranger();
    config({ gateway: { mode: "local", port, auth: { token } } });
    install(unit({ port }));
    machine.tool("journalctl", "exit 1");
    return { words: "--timeout 1500", port };
  },
  "other-config": async () => {
    withSystemd(machine);
    const { port } = await answer();
    const other = join(home, ".openclaw-work", "openclaw.json");
    config({ gateway: { mode: "local", auth: { token } } }, other);
    install(
      unit({
        port,
        environment: [`OPENCLAW_STATE_DIR=${join(home, ".openclaw-work")}`, `OPENCLAW_CONFIG_PATH=${other}`],
      }),
    );
    return { port };
  },
  "other-port": async () => {
    withSystemd(machine);
    const { port } = await answer();
    config({ gateway: { mode: "local", port: 1, auth: { token } } });
    install(unit({ port }));
    return { port };
  },
  unauthorized: async () => {
    withSystemd(machine);
    const { port } = await gateway((request, peer) => {
      if (request.method !== "connect") return false;
      peer.refuse(request, { code: "INVALID_REQUEST", message: "unauthorized: gateway token mismatch" });
      return true;
    });
    config({ gateway: { mode: "local", port, auth: { token } } });
    install(unit({ port }));
    return { port };
  },
  "older-gateway": async () => {
    withSystemd(machine);
    const { port } = await answer("2026.10.0");
    install(unit({ port, version: "2026.10.0" }));
    return { port };
  },
  "two-services": async () => {
    withSystemd(machine);
    const { port } = await answer();
    install(unit({ port }));
    install("[Service]\nExecStart=/opt/openclaw/run\n", "my-assistant.service");
    install("[Service]\nExecStart=/usr/bin/clawdbot gateway\n", "clawdbot-gateway.service");
    // Neither a gateway of another profile nor a node host is a rival.
    install(unit({ port: 19_789 }), "openclaw-gateway-rescue.service");
    install("Environment=OPENCLAW_SERVICE_MARKER=openclaw OPENCLAW_SERVICE_KIND=node\n", "openclaw-node.service");
    return { port };
  },
  "user-and-system": async () => {
    withSystemd(machine);
    const { port } = await answer();
    install(unit({ port }));
    machine.file("/etc/systemd/system/openclaw-gateway.service", unit({ port }));
    machine.file("/etc/systemd/system/openclaw-old.service", "[Service]\nExecStart=/usr/bin/openclaw gateway\n");
    return { words: "--deep --no-probe", port };
  },
  "system-unit": async () => {
    withSystemd(machine);
    const { port } = await answer();
    machine.file("/etc/systemd/system/openclaw-gateway.service", unit({ port }));
    return { port };
  },
  "remote-mode": () => {
    withSystemd(machine);
    showing(machine, absent);
    config({ gateway: { mode: "remote", remote: { url: "ws://127.0.0.2:1", token } } });
    return {};
  },
  "no-bus": () => {
    machine.folder("/run/systemd/system");
    install(unit({ port: 1 }));
    return {};
  },
  "bus-refuses": () => {
    withSystemd(machine);
    machine.tool("systemctl", 'echo "Failed to connect to bus: Connection refused" >&2; exit 1');
    install(unit({ port: 1 }));
    return {};
  },
  container: () => {
    machine.file("/.dockerenv");
    return { env: closed };
  },
  "wsl-without-systemd": () => {
    machine.file("/proc/sys/kernel/osrelease", "5.15.167.4-microsoft-standard-WSL2\n");
    return { env: closed };
  },
  "wsl-running": async () => {
    withSystemd(machine);
    machine.file("/proc/sys/kernel/osrelease", "5.15.167.4-microsoft-standard-WSL2\n");
    const { port } = await answer();
    install(unit({ port }));
    return { port };
  },
  "dead-runtime": () => {
    withSystemd(machine);
    showing(machine, { ...failed, ExecMainStatus: "203", Result: "exit-code" });
    install(unit({ port: 1, runtime: "/home/ann/.nvm/versions/node/v24.1.0/bin/node" }));
    return {};
  },
  "version-manager": async () => {
    withSystemd(machine);
    const { port } = await answer();
    const runtime = "/home/ann/.nvm/versions/node/v24.1.0/bin/node";
    machine.file(runtime);
    install(unit({ port, runtime }));
    return { port };
  },
  configuration: () => {
    withSystemd(machine);
    showing(machine, { ...failed, ExecMainStatus: "78", Result: "exit-code" });
    config({ gateway: { mode: "local", port: 1 } });
    install(unit({ port: 1 }));
    return {};
  },
  "broken-config": () => {
    withSystemd(machine);
    showing(machine, { ...failed, ExecMainStatus: "78", Result: "exit-code" });
    config('{ gateway: { mode: "local", ');
    install(unit({ port: 1 }));
    return {};
  },
  "start-limit": () => {
    withSystemd(machine);
    machine.tool("journalctl", "echo 'Error: something broke'");
    showing(machine, { ...failed, ExecMainStatus: "1", Result: "start-limit-hit", NRestarts: "5" });
    install(unit({ port: 1 }));
    return {};
  },
  starting: () => {
    withSystemd(machine);
    showing(machine, { ActiveState: "activating", SubState: "start" });
    install(unit({ port: 1 }));
    return {};
  },
  "hand-written": async () => {
    withSystemd(machine);
    const { port } = await answer();
    install(
      unit({
        port,
        environment: ["OPENCLAW_GATEWAY_TOKEN=hunter2-hunter2"],
        service: ["Restart=on-failure", "TimeoutStopSec=2"],
      }),
    );
    return { port };
  },
  "lingering-off": async () => {
    machine.folder("/run/systemd/system");
    machine.folder("/var/lib/systemd");
    machine.file("/run/user/1000/systemd/private");
    showing(machine, {});
    const { port } = await answer();
    install(unit({ port }));
    return { port };
  },
  "unit-file-gone": () => {
    withSystemd(machine);
    return { env: closed };
  },
  "launchd-running": async () => {
    const { port } = await answer();
    agent(port);
    machine.tool(
      "launchctl",
      "printf 'x = {\\n\\tstate = running\\n\\tpid = 4711\\n\\tlast exit code = (never exited)\\n}\\n'",
    );
    return { platform: "darwin", port };
  },
  "launchd-stopped": () => {
    agent(1);
    machine.tool("launchctl", 'echo "Could not find service" >&2; exit 113');
    return { platform: "darwin" };
  },
  "launchd-crashing": () => {
    agent(1);
    mkdirSync(join(home, ".openclaw", "logs"), { recursive: true });
    writeFileSync(
      join(home, ".openclaw", "logs", "gateway.err.log"),
      "a line\nGateway auth is set to token, but no token is configured.\nlast\n",
    );
    machine.tool("launchctl", "printf 'x = {\\n\\tstate = spawn scheduled\\n\\tlast exit code = 1\\n}\\n'");
    return { platform: "darwin" };
  },
  "windows-task": () => {
    machine.file("C:\\node\\node.exe");
    const script = `@echo off\r\ncd /d "C:\\Users\\ann"\r\nset "OPENCLAW_GATEWAY_PORT=1"\r\n"C:\\node\\node.exe" "${entry}" "gateway" "--port" "1"\r\n`;
    writeFileSync(join(home, ".openclaw", "gateway.cmd"), script);
    machine.tool(
      "schtasks",
      "printf 'TaskName: \\\\OpenClaw Gateway\\nStatus: Ready\\nLast Run Time: 11/21/2026 9:00:00 AM\\nLast Result: 1\\n'",
    );
    return { platform: "win32" };
  },
};

function agent(port: number): void {
  const folder = join(home, "Library", "LaunchAgents");
  mkdirSync(folder, { recursive: true });
  const backend = machine.open({ platform: "darwin" }).backend;
  const environment = [
    ["HOME", home],
    ["PATH", "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin"],
    ["OPENCLAW_GATEWAY_PORT", String(port)],
    ["OPENCLAW_SERVICE_VERSION", VERSION],
  ] as const;
  const text = backend.render({
    description: "OpenClaw Gateway",
    programArguments: ["/usr/bin/node", entry, "gateway", "--port", String(port)],
    workingDirectory: home,
    environment,
    stateDir: join(home, ".openclaw"),
    stopTimeoutSeconds: 15,
  });
  writeFileSync(join(folder, "bot.molt.gateway.plist"), text);
}

describe("the page and the document of each situation", () => {
  for (const [name, scene] of Object.entries(situations)) {
    test(name, async () => {
      const text = await golden(await scene());
      expect(text).not.toContain("hunter2");
      await expect(text).toMatchFileSnapshot(`golden/gateway-status/${name}.txt`);
    });
  }
});

test("a gateway that is down is an error only when a script asks for it", async () => {
  withSystemd(machine);
  const setting = { env: { ...machine.env(), ...closed }, machine: { root: machine.root, uid: machine.uid } };
  expect((await cli("gateway status", setting)).code).toBe(0);
  expect((await cli("gateway status --require-rpc", setting)).code).toBe(1);
  expect((await cli("gateway status --require-rpc --no-probe", setting)).err).toContain("not both");
});

test("looking starts nothing and changes nothing", async () => {
  withSystemd(machine);
  install(unit({ port: 1 }));
  await cli("gateway status --deep", { env: machine.env(), machine: { root: machine.root, uid: machine.uid } });
  const verbs = machine.calls().filter((line) => /^(systemctl|launchctl|loginctl)/u.test(line));
  expect(verbs.length).toBeGreaterThan(0);
  expect(verbs.filter((line) => !line.includes(" show "))).toEqual([]);
});
