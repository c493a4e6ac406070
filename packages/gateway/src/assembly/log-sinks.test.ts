import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeWorld, type FakeWorld } from "../kernel/fake-world.ts";
import { coalesce, createLogger, type Line, type Logger } from "../kernel/log.ts";
import { Redactor } from "../kernel/redact.ts";
import {
  consoleSink,
  dailyLogFile,
  ensureLogFolder,
  fileSink,
  type ConsoleOptions,
  type FileOptions,
  type FileSink,
} from "./log-sinks.ts";

let home: string;
let world: FakeWorld;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "openclaw-log-"));
  world = fakeWorld({ startAt: new Date(2026, 1, 13, 23, 59, 59).getTime() });
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

const line = (message: string, more: Partial<Line> = {}): Line => ({
  time: world.now(),
  level: "info",
  subsystem: "gateway/ws",
  message,
  ...more,
});

function onConsole(more: Partial<ConsoleOptions> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const redactor = new Redactor();
  const sink = consoleSink({
    threshold: () => "info",
    style: () => "compact",
    color: false,
    redactor,
    write: (stream, text) => void (stream === "stdout" ? out : err).push(text),
    ...more,
  });
  return { sink, out, err, redactor };
}

function onFile(
  more: Partial<FileOptions> = {},
): FileSink & { log: Logger; redactor: Redactor; documents: () => Record<string, unknown>[] } {
  const redactor = new Redactor();
  const file = fileSink({
    threshold: () => "info",
    file: () => undefined,
    folder: join(home, "logs"),
    redactor,
    world,
    ...more,
  });
  const log = createLogger({ subsystem: "gateway", sinks: [file.sink], now: world.now });
  const documents = () =>
    readFileSync(file.path(), "utf8")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  return { ...file, log, redactor, documents };
}

describe("the console", () => {
  test("compact lines begin with an ISO time and name the last parts of the subsystem", () => {
    const { sink, out } = onConsole();
    sink(line("hello", { time: 0, fields: { ms: 3, text: "a\nb", gone: undefined } }));
    sink(line("hello", { time: 0, subsystem: "gateway/channels/telegram/polling" }));
    expect(out).toEqual([
      "1970-01-01T00:00:00.000Z [ws] hello ms=3 text=a\\nb\n",
      "1970-01-01T00:00:00.000Z [telegram] hello\n",
    ]);
  });

  test("pretty lines begin with the clock; one subsystem has one colour", () => {
    const { sink, out, err } = onConsole({ style: () => "pretty", color: true });
    sink(line("a"));
    sink(line("b", { level: "error" }));
    expect(out[0]).toMatch(/^\u001b\[90m23:59:59\u001b\[0m \u001b\[(\d+)m\[ws\]\u001b\[0m a\n$/);
    expect(err[0]).toContain("\u001b[31mb\u001b[0m");
    expect(err[0]?.slice(0, 30)).toBe(out[0]?.slice(0, 30));
  });

  test("without colour there is no escape byte, also when a message brings its own", () => {
    const { sink, out } = onConsole({ style: () => "pretty" });
    sink(line("red \u001b[31m \u009b2J \u0007 end"));
    expect(out[0]?.replace(/\n$/, "")).not.toMatch(/\p{Cc}/u);
  });

  test("JSON lines stay JSON however long a field is, and a field cannot take the place of the level", () => {
    const { sink, out } = onConsole({ style: () => "json" });
    sink(line("m", { fields: { level: "fake", nested: { at: new Date(0) } } }));
    sink(line("long", { fields: { a: "x".repeat(20_000), b: "y".repeat(20_000) } }));
    expect(JSON.parse(out[0] ?? "")).toEqual({
      level: "info",
      subsystem: "gateway/ws",
      message: "m",
      time: expect.any(String) as string,
      nested: { at: "1970-01-01T00:00:00.000Z" },
    });
    expect(out[1]?.length).toBeLessThanOrEqual(16_385);
    expect(JSON.parse(out[1] ?? "")).toMatchObject({ message: "long", cut: true });
  });

  test("warnings and errors go to stderr, the rest to stdout, and a new level counts at once", () => {
    let threshold: "debug" | "warn" = "warn";
    const { sink, out, err } = onConsole({ threshold: () => threshold });
    sink(line("quiet"));
    sink(line("loud", { level: "warn" }));
    threshold = "debug";
    sink(line("detail", { level: "debug" }));
    expect([out.length, err.length]).toEqual([1, 1]);
  });

  test("lines can be picked by subsystem", () => {
    const { sink, out } = onConsole({ shows: ({ subsystem }) => subsystem.endsWith("cli") });
    sink(line("no"));
    sink(line("yes", { subsystem: "gateway/cli" }));
    expect(out).toHaveLength(1);
  });
});

describe("the file", () => {
  test("has the shape that readers know, private from the first byte", async () => {
    const { log, flush, path, documents } = onFile();
    log
      .child("reload")
      .warn("config changed", { paths: ["a"], error: new Error("outer", { cause: new Error("inner") }) });
    log.info("plain");
    await flush();
    const [first, second] = documents();
    expect(first).toMatchObject({
      "0": '{"subsystem":"gateway/reload"}',
      "1": { paths: ["a"], error: expect.stringMatching(/Error: outer[\s\S]*caused by: Error: inner/) as string },
      "2": "config changed",
      _meta: {
        runtime: "node",
        runtimeVersion: "v24.0.0",
        hostname: "unknown",
        name: '{"subsystem":"gateway/reload"}',
        parentNames: ["openclaw"],
        logLevelId: 4,
        logLevelName: "WARN",
      },
      time: new Date(world.now()).toISOString(),
    });
    expect(second).toMatchObject({ "1": "plain" });
    expect([statSync(path()).mode & 0o777, statSync(join(home, "logs")).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  test("a new day begins a new file, and days older than one go", async () => {
    const { log, flush, path } = onFile();
    const old = join(home, "logs", "openclaw-2026-02-10.log");
    const other = join(home, "logs", "notes.txt");
    mkdirSync(join(home, "logs"), { mode: 0o700 });
    for (const file of [old, other]) {
      writeFileSync(file, "x");
      utimesSync(file, new Date(0), new Date(0));
    }
    log.info("before midnight");
    await flush();
    const before = path();
    await world.clock.advance(2_000);
    log.info("after midnight");
    await flush();
    expect([before.slice(-14), path().slice(-14)]).toEqual(["2026-02-13.log", "2026-02-14.log"]);
    expect(readFileSync(before, "utf8")).toContain("before midnight");
    expect(readFileSync(path(), "utf8")).toContain("after midnight");
    expect(readdirSync(join(home, "logs")).sort()).toEqual([
      "notes.txt",
      "openclaw-2026-02-13.log",
      "openclaw-2026-02-14.log",
    ]);
  });

  test("profiles have files of their own", () => {
    expect(dailyLogFile("/l", world.now(), "rescue")).toBe("/l/openclaw-rescue-2026-02-13.log");
  });

  test("is rolled by size, five parts at most, and loses nothing on the way", async () => {
    const { log, flush, path } = onFile({ maxFileBytes: 2_000 });
    for (let i = 0; i < 40; i++) {
      log.info(`line ${i} ${"x".repeat(200)}`);
      await flush();
    }
    const parts = readdirSync(join(home, "logs")).sort();
    expect(parts).toHaveLength(5);
    for (const part of parts) expect(statSync(join(home, "logs", part)).size).toBeLessThanOrEqual(2_000);
    expect(readFileSync(path(), "utf8")).toContain("line 39 ");
  });

  test("a level changed while it runs counts at once, silent included", async () => {
    let threshold: "debug" | "silent" = "silent";
    const { log, flush, documents } = onFile({ threshold: () => threshold });
    log.fatal("nothing");
    threshold = "debug";
    log.debug("something");
    await flush();
    expect(documents().map((document) => document["1"])).toEqual(["something"]);
  });

  test("no line is longer than 16 KB, and every one is JSON", async () => {
    const { log, flush, path } = onFile();
    log.info("x".repeat(100_000));
    log.info("fields", {
      a: "ü\u0085".repeat(20_000),
      b: { c: "z".repeat(50_000) },
      list: Array.from({ length: 10_000 }, (_, i) => i),
    });
    await flush();
    const lines = readFileSync(path(), "utf8").trim().split("\n");
    expect(lines).toHaveLength(2);
    for (const text of lines) {
      expect(text.length).toBeLessThanOrEqual(16_384);
      expect(text).not.toMatch(/[\u007f-\u009f]/);
      JSON.parse(text);
    }
  });

  test("what cannot be written as JSON does not throw", async () => {
    const { log, flush, documents } = onFile();
    const circle: Record<string, unknown> = {
      big: 10n,
      set: new Set([1]),
      map: new Map([["k", new Error("e")]]),
      bytes: new Uint8Array(3),
    };
    circle.self = circle;
    log.info("odd", { circle });
    await flush();
    expect(documents()[0]?.["1"]).toMatchObject({
      circle: { big: "10", set: [1], bytes: "[3 bytes]", map: { k: expect.stringContaining("Error: e") as string } },
    });
  });

  test("a full disk is quiet for a minute, then tried again, with the count of what is missing", async () => {
    let file = "/dev/full";
    const { log, flush, documents } = onFile({ file: () => file });
    log.info("lost");
    await flush();
    file = join(home, "fixed.log");
    log.info("lost too");
    await flush();
    await world.clock.advance(61_000);
    log.info("written");
    await flush();
    expect(documents()).toHaveLength(1);
    expect(documents()[0]).toMatchObject({ "1": { dropped: 2 }, "2": "written" });
  });

  test("what waits at the end of the process is written at once", () => {
    const { log, flushSync, documents } = onFile();
    log.error("last words");
    flushSync();
    expect(documents()[0]).toMatchObject({ "1": "last words" });
  });

  test("a link put in place of the file, or of the folder, is not followed", async () => {
    const victim = join(home, "victim");
    writeFileSync(victim, "");
    const { log, flush, flushSync, path } = onFile();
    mkdirSync(join(home, "logs"), { mode: 0o700 });
    symlinkSync(victim, path());
    log.info("into the file");
    await flush();
    log.info("into the file, synchronously");
    flushSync();
    rmSync(join(home, "logs"), { recursive: true });
    mkdirSync(join(home, "elsewhere"));
    symlinkSync(join(home, "elsewhere"), join(home, "logs"));
    await world.clock.advance(61_000);
    log.info("into the folder");
    await flush();
    log.info("into the folder, synchronously");
    flushSync();
    expect(readFileSync(victim, "utf8")).toBe("");
    expect(readdirSync(join(home, "elsewhere"))).toEqual([]);
  });
});

test("a message of ten megabytes costs no time worth speaking of", () => {
  const { sink, out } = onConsole();
  const began = performance.now();
  sink(line("A_".repeat(5_000_000), { fields: { body: "https://a:".repeat(1_000_000) } }));
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(out[0]?.length).toBeLessThan(17_000);
});

describe("the default folder", () => {
  const choose = () => ensureLogFolder({ tmpdir: () => home }, join(home, "state"));

  test("is made in the temporary directory, closed to others", () => {
    expect(choose()).toEqual({ folder: join(home, "openclaw") });
    expect(statSync(join(home, "openclaw")).mode & 0o777).toBe(0o700);
  });

  test("one of ours that is open is closed", () => {
    mkdirSync(join(home, "openclaw"), { mode: 0o755 });
    choose();
    expect(statSync(join(home, "openclaw")).mode & 0o777).toBe(0o700);
  });

  test.each(["link", "dangling link", "file"])("a planted %s is left alone, and the state directory serves", (what) => {
    const place = join(home, "openclaw");
    mkdirSync(join(home, "target"));
    if (what === "file") writeFileSync(place, "");
    else symlinkSync(join(home, what === "link" ? "target" : "nowhere"), place);
    const before = lstatSync(place).mode;
    expect(choose()).toEqual({ folder: join(home, "state", "logs"), reason: expect.stringContaining(place) as string });
    expect(lstatSync(place).mode).toBe(before);
    expect(readdirSync(join(home, "target"))).toEqual([]);
  });
});

describe("equal errors", () => {
  test("a hundred thousand in a minute make at most one line a second, and every one is counted", () => {
    const lines: Line[] = [];
    const { sink, settle } = coalesce((entry) => void lines.push(entry));
    const error = new Error("socket hang up");
    for (let i = 0; i < 100_000; i++) sink(line("send failed", { level: "error", time: i * 0.6, fields: { error } }));
    settle();
    expect(lines.length).toBeLessThanOrEqual(61);
    const counted = lines.reduce((sum, { message }) => sum + Number(/\((\d+) more/.exec(message)?.[1] ?? 1), 0);
    expect(counted).toBe(100_000);
    expect(lines.slice(1).every(({ fields }) => fields === undefined)).toBe(true);
  });

  test("different errors, and everything below a warning, pass as they are", () => {
    const lines: Line[] = [];
    const { sink } = coalesce((entry) => void lines.push(entry));
    sink(line("failed", { level: "warn", fields: { error: new Error("a") } }));
    sink(line("failed", { level: "warn", fields: { error: new Error("b") } }));
    sink(line("tick"));
    sink(line("tick"));
    expect(lines).toHaveLength(4);
  });

  test("the memory of them is bounded", () => {
    const lines: Line[] = [];
    const { sink } = coalesce((entry) => void lines.push(entry));
    for (let i = 0; i < 5_000; i++) sink(line(`failed ${i}`, { level: "warn", time: 0 }));
    expect(lines).toHaveLength(5_000);
  });
});

describe("secrets", () => {
  const secret = 'c0ffee"token/with+odd=chars';
  const shapes: [string, unknown][] = [
    ["a text", secret],
    ["a nested field", { a: [{ b: `x${secret}y` }] }],
    ["a key", { [secret]: 1 }],
    ["an error", new Error(`bad ${secret}`)],
    ["the cause of an error", new Error("outer", { cause: new Error(secret) })],
    ["one of several errors", new AggregateError([new Error(secret)], "several")],
    ["an address", `https://host/path?q=${encodeURIComponent(secret)}`],
    ["an URL object", new URL(`https://host/?q=${encodeURIComponent(secret)}`)],
    ["base64", Buffer.from(`user:${secret}`).toString("base64")],
    ["base64 in the middle", Buffer.from(`{"a":"${secret}","b":1}`).toString("base64")],
    ["base64url", Buffer.from(secret).toString("base64url")],
    ["JSON inside JSON", JSON.stringify(JSON.stringify({ secret }))],
    ["a map", new Map([["k", secret]])],
    ["a text that is cut", `${"x".repeat(8_180)}${secret}`],
  ];

  test.each(shapes)("in %s reach neither the console nor the file", async (_name, value) => {
    const { sink, out, err, redactor } = onConsole({ style: () => "json" });
    const file = onFile();
    for (const each of [redactor, file.redactor]) each.add(secret);
    sink(line("m", { fields: { value } }));
    file.log.error(typeof value === "string" ? value : "m", { value });
    await file.flush();
    const written = [...out, ...err, readFileSync(file.path(), "utf8")].join("\n");
    const inner = Buffer.from(`user:${secret}`).toString("base64").slice(12, -8);
    for (const form of [
      "c0ffee",
      "with+odd",
      "with%2Bodd",
      inner,
      Buffer.from(secret).toString("base64url").slice(4, 20),
    ])
      expect(written).not.toContain(form);
  });

  test("by their place: user info, query, headers and assignments", () => {
    const redactor = new Redactor();
    const texts = [
      "postgres://me:hunter2222@db/x",
      "GET /hook?token=abcdefgh&x=1",
      "Authorization: Basic dXNlcjpwYXNzd29yZA==",
      "OPENAI_API_KEY=abcdefgh",
      '{"apiKey":"abcdefgh"}',
      "run --password abcdefgh",
      "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    ];
    for (const text of texts) expect(redactor.clean(text)).not.toMatch(/hunter2222|abcdefgh|dXNlcjp|\nabc/);
    expect(redactor.clean("GET /hook?token=abcdefgh&x=1")).toBe("GET /hook?token=***&x=1");
    expect(redactor.cleanValue({ headers: { Authorization: "anything" } })).toEqual({
      headers: { Authorization: "***" },
    });
  });

  test("own patterns replace the built-in ones, broken ones are left out, and registered secrets stay masked", () => {
    const redactor = new Redactor();
    redactor.add("registered-secret");
    redactor.usePatterns({ redactSensitive: "tools", redactPatterns: ["(", "/plan b/", "CASE"] });
    expect(redactor.clean("plan b, case, Bearer abcdefgh, registered-secret")).toBe("***, ***, Bearer abcdefgh, ***");
    redactor.usePatterns({ redactSensitive: "off" });
    expect(redactor.clean("plan b, Bearer abcdefgh, registered-secret")).toBe("plan b, Bearer abcdefgh, ***");
  });

  test("of the environment are known by the names of their variables", () => {
    const redactor = new Redactor();
    redactor.addEnvironment({ SOME_API_KEY: "value-of-the-key", HOME: "/home/somebody" });
    expect(redactor.clean("value-of-the-key /home/somebody")).toBe("*** /home/somebody");
  });
});
