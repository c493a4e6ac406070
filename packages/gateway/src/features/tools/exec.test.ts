import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Processes } from "./processes.ts";
import { details, groupMembers, processKit, until } from "./processes.fixture.ts";
import type { RunOrigin } from "./tool.ts";
import { temporaryDirectory, textOf } from "./tools.fixture.ts";

let directory: ReturnType<typeof temporaryDirectory>;
const open: Processes[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((processes) => processes.stop(5_000)));
  directory.remove();
});

function kit(options: Parameters<typeof processKit>[1] = {}) {
  const made = processKit(directory.path, options);
  open.push(made.processes);
  return made;
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
