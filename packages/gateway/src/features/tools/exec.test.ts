import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "../../kernel/log.ts";
import { coreTools } from "./core-tools.ts";
import { ChildFile, type ChildRecord, killLeftovers, processStartTime } from "./leftovers.ts";
import { Processes } from "./processes.ts";
import type { RunOrigin, ToolContext, ToolResult } from "./tool.ts";
import { Tools } from "./tools.ts";
import type { ToolsConfig } from "./tools.config.ts";
import { named, realWorld, temporaryDirectory, textOf, toolContext, toolsConfig } from "./tools.fixture.ts";

let directory: ReturnType<typeof temporaryDirectory>;
const open: Processes[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((processes) => processes.stop(5_000)));
  directory.remove();
});

function kit(
  options: { env?: Record<string, string>; change?: (tools: ToolsConfig) => void; agent?: "full" | "deny" } = {},
) {
  const world = realWorld(options.env);
  const config = toolsConfig((tools) => {
    tools.exec.killGraceMs = 200;
    options.change?.(tools);
  });
  const events: string[] = [];
  const records = new Map<number, ChildRecord>();
  const processes = new Processes({
    world,
    log: silentLogger,
    config,
    systemEvent: (key, text) => void events.push(`${key} ${text}`),
    ledger: {
      recordChild: (record) => void records.set(record.pid, record),
      forgetChild: (pid) => void records.delete(pid),
    },
  });
  open.push(processes);
  const agentTools = () => (options.agent ? { exec: { security: options.agent } } : undefined);
  const tools = new Tools({ log: silentLogger, config, tools: coreTools({ world, config, processes, agentTools }) });
  let runs = 0;
  const call = (name: string, args: Record<string, unknown>, context: Partial<ToolContext> = {}): Promise<ToolResult> =>
    tools.call(named(tools.all(), name), args, toolContext(directory.path, { runId: `run-${++runs}`, ...context }));
  return { world, config, processes, tools, call, events, records };
}

const details = (result: ToolResult) => result.details as Record<string, unknown> & { sessionId: string; pid: number };

/** Members of a process group that still run; zombies do not count. */
function groupMembers(pgid: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/u.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(group) === pgid && state !== "Z" ? [Number(name)] : [];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}

async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const deadline = performance.now() + 8_000;
  const look = async () => {
    if (await check()) return resolve();
    if (performance.now() > deadline) return reject(new Error(`never happened: ${what}`));
    setTimeout(look, 10);
  };
  void look();
  return promise;
}

describe("exec", () => {
  test("returns output, exit code, duration and directory of a finished command", async () => {
    const result = await kit().call("exec", { command: "echo out; echo err >&2; pwd" });
    expect(result.isError).toBeUndefined();
    expect(textOf(result)).toContain("out");
    expect(textOf(result)).toContain("err");
    expect(details(result)).toMatchObject({ status: "completed", exitCode: 0, cwd: directory.path });
    expect(textOf(result)).toContain(directory.path);
  });

  test("a non-zero exit code is a result that names it, not an error", async () => {
    const result = await kit().call("exec", { command: "echo no; exit 3" });
    expect(result.isError).toBeUndefined();
    expect(textOf(result)).toBe("no\n\n[Command exited with code 3.]");
    expect(details(result)).toMatchObject({ status: "completed", exitCode: 3 });
  });

  test("a command ended by a signal is told as failed with the signal", async () => {
    const result = await kit().call("exec", { command: "kill -9 $$" });
    expect(details(result)).toMatchObject({ status: "failed", exitCode: null, signal: "SIGKILL", timedOut: false });
  });

  test("the timeout ends the whole group and is told", async () => {
    const { call, records } = kit();
    const result = await call("exec", { command: "sleep 60 & sleep 60", timeout: 0.2 });
    expect(details(result)).toMatchObject({ status: "failed", timedOut: true });
    expect(textOf(result)).toContain("timed out");
    await until("the group is gone", () => records.size === 0);
  });

  test("no time limit is refused for a foreground command", async () => {
    expect(textOf(await kit().call("exec", { command: "true", timeout: 0 }))).toContain("only with background: true");
  });

  test("a missing working directory is named", async () => {
    const result = await kit().call("exec", { command: "true", workdir: "missing" });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain(`${directory.path}/missing does not exist`);
  });

  test("standard input of a plain command is empty, so a filter does not hang", async () => {
    expect(details(await kit().call("exec", { command: "cat; echo done" }))).toMatchObject({ status: "completed" });
  });

  test("ten megabytes of output are kept as their last 200,000 characters", async () => {
    const result = await kit().call("exec", { command: "head -c 10000000 /dev/zero | tr '\\0' x; echo END" });
    const { aggregated } = details(result) as unknown as { aggregated: string };
    expect(aggregated.length).toBe(200_000);
    expect(aggregated.endsWith("xEND\n")).toBe(true);
    expect(textOf(result).length).toBeLessThan(200_500);
    expect(textOf(result)).toMatch(/characters/u);
  });

  test("escape sequences and overwritten progress are taken out of the text", async () => {
    const result = await kit().call("exec", {
      command: "printf '\\033[31mred\\033[0m\\n10%%\\r50%%\\r100%%\\n\\033]0;title\\007end'",
    });
    expect(textOf(result)).toBe("red\n100%\nend");
  });

  test("abort ends a foreground command with its grandchildren, even one that ignores SIGTERM", async () => {
    const { call, records } = kit();
    const controller = new AbortController();
    const running = call(
      "exec",
      { command: "trap '' TERM; sh -c \"trap '' TERM; while :; do sleep 0.05; done\" & touch started; wait; sleep 60" },
      { signal: controller.signal },
    );
    await until("it started", () => existsSync(join(directory.path, "started")));
    const [pid = 0] = records.keys();
    expect(groupMembers(pid).length).toBeGreaterThanOrEqual(2);
    const before = performance.now();
    controller.abort();
    expect(textOf(await running)).toContain("aborted");
    expect(performance.now() - before).toBeLessThan(100);
    await until("the group is gone", () => groupMembers(pid).length === 0);
    await until("it is forgotten", () => records.size === 0);
  });

  test("what a finished command leaves behind in its group is ended, and told", async () => {
    const { call, records } = kit();
    const result = await call("exec", { command: "sleep 61 & echo ok" });
    expect(textOf(result)).toContain("left behind");
    await until("the group is gone", () => records.size === 0);
  });

  test("the environment holds no secret, no loader variable and nothing but the allow-list", async () => {
    const secrets = {
      OPENCLAW_GATEWAY_TOKEN: "canary-1",
      ANTHROPIC_API_KEY: "canary-2",
      OPENAI_API_KEY: "canary-3",
      AWS_SECRET_ACCESS_KEY: "canary-4",
      NODE_OPTIONS: "--canary-5",
      LD_PRELOAD: "canary-6",
      SOMETHING_ELSE: "canary-7",
      HTTPS_PROXY: "http://user:canary-8@proxy",
    };
    const { call } = kit({
      env: { ...secrets, LANG: "C", HTTP_PROXY: "http://proxy:1" },
      change: (tools) => void tools.exec.pathPrepend.push("/first"),
    });
    const text = textOf(await call("exec", { command: "env", env: { ASKED: "yes" } }));
    expect(text).not.toContain("canary");
    expect(text).toContain("ASKED=yes");
    expect(text).toContain("LANG=C");
    expect(text).toContain("HTTP_PROXY=http://proxy:1");
    expect(text).toMatch(/^PATH=\/first:/mu);
  });

  test.skipIf(process.platform !== "linux")("no descriptor of the gateway is inherited", async () => {
    const command = "for f in $(ls /proc/$$/fd); do test $f -gt 2 && readlink /proc/$$/fd/$f; done; true";
    const open = textOf(await kit().call("exec", { command }))
      .trim()
      .split("\n");
    expect(open.filter((target) => target !== "/dev/null" && target !== "(no output)")).toEqual([]);
  });

  test.each([
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "NODE_OPTIONS",
    "PYTHONPATH",
    "BASH_ENV",
    "GIT_SSH_COMMAND",
    "PERL5OPT",
    "RUBYOPT",
    "Path",
    "BAD NAME",
    "A=B",
  ])("a call may not set %s", async (name) => {
    const result = await kit().call("exec", { command: "env", env: { [name]: "x" } });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain("env:");
  });

  test("at most 32 foreground commands run at once", async () => {
    const { call } = kit();
    const controller = new AbortController();
    const running = Array.from({ length: 32 }, (_, i) =>
      call("exec", { command: `sleep 6${i}` }, { signal: controller.signal }),
    );
    const refused = await call("exec", { command: "echo one too many" });
    expect(textOf(refused)).toContain("32 foreground commands are running");
    controller.abort();
    await Promise.all(running);
  });
});

describe("exec security", () => {
  test.each<RunOrigin>(["channel", "hook", "cron"])(
    "a run started by a %s is denied with the name of the setting",
    async (origin) => {
      const result = await kit().call("exec", { command: "touch done" }, { origin });
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain("tools.exec.security");
      expect(existsSync(join(directory.path, "done"))).toBe(false);
    },
  );

  test("config may allow such runs, globally or for one agent, and deny operators", async () => {
    const full = kit({ change: (tools) => void (tools.exec.security = "full") });
    expect(textOf(await full.call("exec", { command: "echo ran" }, { origin: "channel" }))).toBe("ran");
    expect(textOf(await kit({ agent: "full" }).call("exec", { command: "echo ran" }, { origin: "cron" }))).toBe("ran");
    const denied = kit({ change: (tools) => void (tools.exec.security = "full"), agent: "deny" });
    expect(textOf(await denied.call("exec", { command: "echo ran" }))).toContain(
      "exec is denied (tools.exec.security)",
    );
  });

  test.each([
    [{ security: "allowlist" }, "needs approvals"],
    [{ security: "deny" }, "exec is denied"],
    [{ ask: "always" }, "needs approvals"],
    [{ host: "node" }, "node is not available"],
    [{ node: "phone" }, "node is not available"],
  ])("a call with %j is refused, not loosened", async (args, text) => {
    const result = await kit().call("exec", { command: "echo ran", ...args });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain(text);
  });

  test("a call cannot loosen what is configured", async () => {
    for (const security of ["deny", "allowlist"] as const) {
      const { call } = kit({ change: (tools) => void (tools.exec.security = security) });
      expect((await call("exec", { command: "echo ran", security: "full" })).isError).toBe(true);
    }
  });

  test("elevated is for owners and can be switched off", async () => {
    const { call } = kit({ change: (tools) => void (tools.exec.security = "full") });
    expect(textOf(await call("exec", { command: "echo ran", elevated: true }, { owner: false }))).toContain(
      "tools.elevated.allowFrom",
    );
    const off = kit({ change: (tools) => void (tools.elevated.enabled = false) });
    expect(textOf(await off.call("exec", { command: "echo ran", elevated: true }))).toContain("tools.elevated.enabled");
  });
});

describe("process", () => {
  test("a command that outlives yieldMs continues, is polled, and its end is announced", async () => {
    const { call, events } = kit();
    const started = await call("exec", { command: "echo first; read line; echo got $line; exit 4", yieldMs: 100 });
    const { sessionId } = details(started);
    expect(details(started)).toMatchObject({ status: "running", cwd: directory.path });
    expect(textOf(await call("process", { action: "poll", sessionId }))).toContain("first");
    expect(textOf(await call("process", { action: "poll", sessionId }))).toContain("(no new output)");
    await call("process", { action: "submit", sessionId, data: "hello" });
    await until("it ended", () => events.length > 0);
    expect(textOf(await call("process", { action: "poll", sessionId }))).toContain(
      "got hello\n\n\n[Command exited with code 4.]",
    );
    expect(events).toEqual([
      `agent:main:main exec finished (session ${sessionId}, exited with code 4): first\ngot hello`,
    ]);
  });

  test("a background command survives the abort of its run and dies with the gateway", async () => {
    const { call, processes, records } = kit();
    const controller = new AbortController();
    const started = await call(
      "exec",
      { command: "sleep 62 & sleep 63", background: true },
      { signal: controller.signal },
    );
    controller.abort();
    const { sessionId, pid } = details(started);
    expect(textOf(await call("process", { action: "poll", sessionId }))).toContain("is running");
    expect(records.has(pid)).toBe(true);
    await processes.stop(5_000);
    expect(groupMembers(pid)).toEqual([]);
    expect(records.size).toBe(0);
  });

  test("stop ends twenty commands and starts no new one", async () => {
    const { call, processes, records } = kit();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        call("exec", { command: `trap '' TERM; sleep ${100 + i}`, background: true }),
      ),
    );
    const pids = [...records.keys()];
    expect(pids.length).toBe(20);
    const before = performance.now();
    await processes.stop(5_000);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(pids.flatMap(groupMembers)).toEqual([]);
    expect(textOf(await call("exec", { command: "echo late" }))).toContain("stopping");
  });

  test("log pages by line and shows the last 200 unless asked", async () => {
    const { call } = kit();
    const { sessionId } = details(await call("exec", { command: "seq 1 500; sleep 64", background: true }));
    await until("the output is there", async () =>
      textOf(await call("process", { action: "log", sessionId })).includes("500"),
    );
    const last = textOf(await call("process", { action: "log", sessionId }));
    expect(last.startsWith("301\n")).toBe(true);
    expect(textOf(await call("process", { action: "log", sessionId, offset: 9, limit: 2 }))).toContain(
      "10\n11\n\n[Lines 9-10 of 500",
    );
    await call("process", { action: "clear", sessionId });
    expect(textOf(await call("process", { action: "log", sessionId }))).not.toContain("500");
  });

  test("write with eof ends the input, kill ends the group, remove forgets it", async () => {
    const { call, processes } = kit();
    const cat = details(await call("exec", { command: "cat", background: true }));
    await call("process", { action: "write", sessionId: cat.sessionId, data: "typed", eof: true });
    await until("cat ended", () => processes.get("main", cat.sessionId)?.exit !== undefined);
    expect(textOf(await call("process", { action: "poll", sessionId: cat.sessionId }))).toContain("typed");
    expect((await call("process", { action: "write", sessionId: cat.sessionId, data: "x" })).isError).toBe(true);

    const sleeper = details(await call("exec", { command: "sleep 65 & sleep 66", background: true }));
    await call("process", { action: "kill", sessionId: sleeper.sessionId });
    expect(groupMembers(sleeper.pid)).toEqual([]);
    await call("process", { action: "remove", sessionId: sleeper.sessionId });
    expect(textOf(await call("process", { action: "poll", sessionId: sleeper.sessionId }))).toContain(
      "no background command",
    );
    expect(textOf(await call("process", { action: "list" }))).toContain(cat.sessionId);
  });

  test("an agent does not see commands of another agent", async () => {
    const { call } = kit();
    const { sessionId } = details(await call("exec", { command: "sleep 67", background: true }));
    expect(textOf(await call("process", { action: "list" }, { agentId: "other" }))).toBe("No background commands.");
    expect((await call("process", { action: "kill", sessionId }, { agentId: "other" })).isError).toBe(true);
  });

  test("at most 32 background commands run; a yielding command then stays in the foreground", async () => {
    const { call } = kit();
    for (let i = 0; i < 32; i++) await call("exec", { command: `sleep 7${i}`, background: true });
    expect(textOf(await call("exec", { command: "sleep 68", background: true }))).toContain("32 background commands");
    expect(details(await call("exec", { command: "sleep 0.1; echo end", yieldMs: 10 }))).toMatchObject({
      status: "completed",
    });
  });

  test("a terminal is one, and takes keys", async () => {
    const { call, processes } = kit();
    const { sessionId } = details(
      await call("exec", { command: "test -t 0 && echo tty; cat", pty: true, background: true }),
    );
    await until("it is ready", async () => textOf(await call("process", { action: "log", sessionId })).includes("tty"));
    await call("process", { action: "send-keys", sessionId, literal: "typed", keys: ["enter"] });
    await until(
      "it echoed",
      async () => textOf(await call("process", { action: "log", sessionId })).split("typed").length === 3,
    );
    await call("process", { action: "send-keys", sessionId, keys: ["ctrl-c"] });
    await until("it ended", () => processes.get("main", sessionId)?.exit !== undefined);
  });

  test("an unknown key is refused, not typed", async () => {
    const { call } = kit();
    const { sessionId } = details(await call("exec", { command: "cat", background: true }));
    const result = await call("process", { action: "send-keys", sessionId, keys: ["entr"] });
    expect(textOf(result)).toContain('"entr" is no key');
  });
});

describe.skipIf(process.platform !== "linux")("leftovers", () => {
  test("are killed only when pid and start time both match", async () => {
    const { call, world, processes } = kit();
    const { pid, sessionId } = details(await call("exec", { command: "sleep 69 & sleep 70", background: true }));
    const startTime = processStartTime(pid, "linux");
    expect(
      killLeftovers(
        [{ pid }, { pid, startTime: "other/1" }, { pid: 1, startTime: "x" }, { pid: -5, startTime: "x" }],
        world,
        silentLogger,
      ),
    ).toBe(0);
    expect(groupMembers(pid).length).toBeGreaterThan(0);
    expect(killLeftovers([{ pid, ...(startTime ? { startTime } : {}) }], world, silentLogger)).toBe(1);
    await until("it ended", () => processes.get("main", sessionId)?.exit !== undefined);
    expect(groupMembers(pid)).toEqual([]);
  });

  test("are kept in a private file that survives the process", () => {
    const path = join(directory.path, "children.json");
    const file = new ChildFile(path, silentLogger);
    file.recordChild({ pid: 10, startTime: "a/1" });
    file.recordChild({ pid: 11 });
    file.forgetChild(10);
    expect(new ChildFile(path, silentLogger).readLeftovers()).toEqual([{ pid: 11 }]);
    expect(new ChildFile(join(directory.path, "none.json"), silentLogger).readLeftovers()).toEqual([]);
  });
});
