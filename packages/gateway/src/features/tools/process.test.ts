import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "../../kernel/log.ts";
import { ChildFile, killLeftovers, processStartTime } from "./leftovers.ts";
import type { Processes } from "./processes.ts";
import { details, groupMembers, processKit, until } from "./processes.fixture.ts";
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
