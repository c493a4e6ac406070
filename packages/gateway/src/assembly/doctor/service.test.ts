import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { fakeMachine, showing, withSystemd, type FakeMachine } from "../../service/machine.fixture.ts";
import { machineOf } from "../../service/machine.ts";
import { entryOf, findProgram, programAt } from "../../service/program.ts";
import { healthyInstallation, template, type Installation } from "./doctor.fixture.ts";
import type { DoctorOptions, DoctorReport } from "./index.ts";

let from = "";
let installation: Installation;
let machine: FakeMachine;
beforeAll(async () => {
  from = await template();
});
afterAll(() => rmSync(from, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
beforeEach(async () => {
  installation = await healthyInstallation(from);
  machine = withSystemd(fakeMachine({ home: installation.home }));
  machine.file("/usr/bin/node");
  machine.file("/usr/bin/systemd-notify");
  const source = programAt(import.meta.dirname);
  const { arguments: words } = await findProgram(machineOf({ world: machine.world(), uid: machine.uid }), source);
  for (const path of [words[0] ?? "", entryOf(source)]) machine.file(path);
});
afterEach(() => {
  machine.remove();
  installation.remove();
});

const units = () => join(installation.home, ".config", "systemd", "user");
const unitPath = () => join(units(), "openclaw-gateway.service");

/** What install would have written, but for `change`. */
async function install(change: (text: string) => string = (text) => text): Promise<void> {
  const { backend } = machine.open();
  const text = backend.render({
    description: "OpenClaw Gateway",
    programArguments: ["/usr/bin/node", entryOf(programAt(import.meta.dirname)), "gateway", "--port", "1"],
    workingDirectory: installation.home,
    environment: [
      ["PATH", "/usr/local/bin:/usr/bin:/bin"],
      ["OPENCLAW_SERVICE_MARKER", "openclaw"],
    ],
    stateDir: installation.state,
    stopTimeoutSeconds: 15,
  });
  mkdirSync(units(), { recursive: true });
  writeFileSync(unitPath(), change(text));
}

async function doctor(options: Partial<DoctorOptions> = {}): Promise<DoctorReport> {
  const world = {
    ...installation.world,
    env: { ...installation.world.env, ...machine.env() },
    sleep: () => Promise.resolve(),
  };
  return installation.doctor({ world, machine: { root: machine.root, uid: machine.uid }, ...options });
}
const codes = (report: DoctorReport) =>
  report.findings.filter(({ code }) => code.startsWith("service")).map(({ code, subject }) => subject ?? code);

test("a service that runs as recommended is nothing to complain about, and no service neither", async () => {
  expect(codes(await doctor())).toEqual([]);
  expect(machine.calls()).toEqual([]);
  await install();
  expect(codes(await doctor())).toEqual([]);
});

test("a definition that is not as recommended is written anew, and the former one is kept", async () => {
  await install((text) =>
    text
      .replace("Restart=always", "Restart=no")
      .replace("RestartPreventExitStatus=78\n", "Environment=OPENCLAW_GATEWAY_TOKEN=secret-of-the-unit\n"),
  );
  const seen = await doctor();
  expect(codes(seen)).toEqual(["gateway-secret-embedded", "systemd-restart", "systemd-restart-prevent"]);
  expect(JSON.stringify(seen)).not.toContain("secret-of-the-unit");
  const repaired = await doctor({ fix: true });
  expect(codes(repaired)).toEqual([]);
  expect(repaired.repairs[0]).toMatchObject({ code: "service-config", ok: true });
  const text = readFileSync(unitPath(), "utf8");
  expect(text).toContain("Restart=always");
  expect(text).toContain("--port 1");
  expect(readFileSync(join(repaired.backup ?? "", "openclaw-gateway.service"), "utf8")).toContain("Restart=no");
  expect(machine.calls()).toContain("systemctl --user restart openclaw-gateway.service");
});

test("a program that is gone is an error, and repaired", async () => {
  await install((text) => text.replace("/usr/bin/node", "/home/ann/.nvm/versions/node/v24.0.0/bin/node"));
  const [finding] = (await doctor()).findings.filter(({ code }) => code === "service-config");
  expect(finding).toMatchObject({ severity: "error", subject: "gateway-runtime-missing", fixable: true });
  expect(codes(await doctor({ fix: true }))).toEqual([]);
});

test("a unit that runs something else is replaced with --force only", async () => {
  await install(() => "[Service]\nExecStart=/opt/mine/run\n");
  expect(codes(await doctor({ fix: true }))).toEqual(["gateway-command-missing"]);
  expect(readFileSync(unitPath(), "utf8")).toContain("/opt/mine/run");
  expect(codes(await doctor({ fix: true, force: true }))).toEqual([]);
});

test("a service that ends at logout is told, and lingering is asked of logind", async () => {
  await install();
  rmSync(join(machine.root, "var/lib/systemd/linger/ann"));
  machine.tool("loginctl", 'echo "Access denied" >&2; exit 1');
  machine.tool("sudo", "exit 1");
  const refused = await doctor({ fix: true });
  expect(codes(refused)).toEqual(["systemd-linger"]);
  expect(refused.repairs).toEqual([
    { code: "service-linger", ok: false, text: "not allowed (Access denied); run: sudo loginctl enable-linger ann" },
  ]);
  machine.tool("loginctl", `: >"${machine.root}/var/lib/systemd/linger/ann"`);
  expect(codes(await doctor({ fix: true }))).toEqual([]);
});

test("a stopped service is started, a failed one is an error", async () => {
  await install();
  showing(machine, { ActiveState: "inactive", SubState: "dead", MainPID: "0" });
  expect((await doctor()).findings.find(({ code }) => code === "service-down")).toMatchObject({ severity: "warn" });
  showing(machine, {
    ActiveState: "failed",
    SubState: "failed",
    MainPID: "0",
    ExecMainCode: "1",
    ExecMainStatus: "78",
  });
  expect((await doctor()).findings.find(({ code }) => code === "service-down")).toMatchObject({ severity: "error" });
  await doctor({ fix: true });
  expect(
    machine
      .calls()
      .filter((line) => / (reset-failed|start) /u.test(line))
      .slice(0, 2),
  ).toEqual([
    "systemctl --user reset-failed openclaw-gateway.service",
    "systemctl --user start openclaw-gateway.service",
  ]);
});

test("a manager that does not answer is told once, with the command that helps", async () => {
  await install();
  machine.tool("systemctl", 'echo "Failed to connect to bus: Connection refused" >&2; exit 1');
  expect((await doctor()).findings.find(({ code }) => code === "service-down")).toMatchObject({
    title: "The service cannot be seen from here.",
    fix: "sudo systemctl restart user@1000.service",
    fixable: false,
  });
});

test("services of an earlier name are stopped and removed; others are only named", async () => {
  mkdirSync(units(), { recursive: true });
  const legacy = join(units(), "clawdbot-gateway.service");
  writeFileSync(legacy, "[Service]\nExecStart=/usr/bin/clawdbot gateway\n");
  writeFileSync(join(units(), "other.service"), "[Service]\nExecStart=/usr/bin/openclaw gateway\n");
  expect(codes(await doctor())).toEqual(["clawdbot-gateway.service", "other.service"]);
  const repaired = await doctor({ fix: true });
  expect(codes(repaired)).toEqual(["other.service"]);
  expect(existsSync(legacy)).toBe(false);
  expect(machine.calls()).toContain("systemctl --user disable --now clawdbot-gateway.service");
});

test("a system unit beside the unit of the account is left to the person", async () => {
  await install();
  machine.file("/etc/systemd/system/openclaw-gateway.service", "[Service]\n");
  const [finding] = (await doctor({ fix: true })).findings.filter(({ code }) => code === "service-config");
  expect(finding).toMatchObject({ subject: "systemd-user-and-system", fixable: false });
  expect(machine.has("/etc/systemd/system/openclaw-gateway.service")).toBe(true);
});
