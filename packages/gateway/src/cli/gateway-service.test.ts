/** The service verbs as they are typed: flags, texts, exit codes, and what `install` finds out before anything is written. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeMachine, showing, withSystemd, type FakeMachine } from "../service/machine.fixture.ts";
import { cli, home, withHome, writeConfig } from "./fake-terminal.ts";

withHome();

let machine: FakeMachine;
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};
let port = 0;

beforeEach(async () => {
  machine = withSystemd(fakeMachine({ home }));
  machine.file("/usr/bin/systemd-notify");
  showing(machine, { ActiveState: "inactive", SubState: "dead", MainPID: "0", UnitFileState: "" });
  port = await freePort();
  writeConfig(JSON.stringify({ gateway: { mode: "local", port, auth: { token: "token-of-the-file" } } }));
});
afterEach(() => machine.remove());

const run = (words: string, env: Record<string, string> = {}, more: { tty?: boolean; answers?: string[] } = {}) =>
  cli(words, { env: { ...machine.env(), ...env }, machine: { root: machine.root, uid: machine.uid }, ...more });
const unit = () => join(home, ".config", "systemd", "user", "openclaw-gateway.service");
const dotenv = () => join(home, ".openclaw", ".env");

describe("gateway install", () => {
  test("installs on the configured port, says one line, and daemon install is the same", async () => {
    expect(await run("gateway install")).toMatchObject({
      code: 0,
      out: `Installed systemd service: ${unit()}\n`,
      err: "",
    });
    expect(readFileSync(unit(), "utf8")).toContain(`gateway --port ${port}`);
    showing(machine, {});
    const again = await run("daemon install");
    expect(again).toMatchObject({ code: 0 });
    expect(again.out).toBe("Gateway service already enabled.\nReinstall with: openclaw gateway install --force\n");
  });

  test("--json prints one document, also when it fails", async () => {
    const good = await run("gateway install --json");
    expect(JSON.parse(good.out)).toMatchObject({ action: "install", ok: true, result: "installed" });
    writeConfig("{");
    const bad = await run("gateway install --force --json");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({
      action: "install",
      ok: false,
      code: "configuration",
      hints: ["openclaw doctor", "openclaw setup"],
    });
    expect(bad.err).toContain("Gateway install failed: the gateway could not start.");
  });

  test.each([
    ["--port 0", "Invalid port"],
    ["--port 70000", "Invalid port"],
    ["--runtime bun", "The gateway needs Node"],
    ["--runtime deno", 'Invalid --runtime (use "node" or "bun")'],
    ["--token another-token", "is another token"],
  ])("%s is refused, and nothing is written", async (words, text) => {
    const ran = await run(`gateway install ${words}`);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(text);
    expect(existsSync(unit())).toBe(false);
    expect(existsSync(dotenv())).toBe(false);
  });

  test("is refused where Nix manages services", async () => {
    for (const verb of ["install", "uninstall", "start"])
      expect((await run(`gateway ${verb}`, { OPENCLAW_NIX_MODE: "1" })).err).toContain("OPENCLAW_NIX_MODE");
    expect(existsSync(unit())).toBe(false);
  });

  test("is refused while somebody listens on the port, who is named", async () => {
    const server = createServer().listen(port, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const ran = await run("gateway install --json");
    await new Promise((resolve) => server.close(resolve));
    const outcome = JSON.parse(ran.out) as { error: string };
    expect(outcome).toMatchObject({ ok: false, code: "port-taken" });
    expect(outcome.error).toContain(`port ${port} is already in use: pid ${process.pid}`);
    expect(existsSync(unit())).toBe(false);
  });

  test("keeps a token that only this shell has where the service reads it, readable by its owner", async () => {
    writeConfig(JSON.stringify({ gateway: { mode: "local", port } }));
    const ran = await run("gateway install", { OPENCLAW_GATEWAY_TOKEN: "token-of-the-shell" });
    expect(ran.code).toBe(0);
    expect(ran.err).toContain("Kept OPENCLAW_GATEWAY_TOKEN in ~/.openclaw/.env");
    expect(readFileSync(dotenv(), "utf8")).toBe("OPENCLAW_GATEWAY_TOKEN=token-of-the-shell\n");
    expect(statSync(dotenv()).mode & 0o777).toBe(0o600);
    expect(readFileSync(unit(), "utf8")).not.toContain("token-of-the-shell");
  });

  test("the same token as in the config is neither refused nor kept twice", async () => {
    expect((await run("gateway install --token token-of-the-file")).code).toBe(0);
    expect(existsSync(dotenv())).toBe(false);
  });

  test("names what the service will not see, and a port other commands do not know of", async () => {
    const other = await freePort();
    const ran = await run(`gateway install --port ${other}`, { ANTHROPIC_API_KEY: "k" });
    expect(ran.err).toContain("ANTHROPIC_API_KEY is set in this shell only");
    expect(ran.err).toContain(
      `Commands look for the gateway on port ${port}. Run: openclaw config set gateway.port ${other}`,
    );
    expect(ran.err).not.toContain('"k"');
  });

  test("on a terminal asks before lingering is switched on", async () => {
    rmSync(join(machine.root, "/var/lib/systemd/linger/ann"));
    machine.tool("loginctl", "exit 0");
    const refused = await run("gateway install", {}, { tty: true, answers: ["n"] });
    expect(refused.err).toContain("Keep it running (may ask for your sudo password)? [Y/n]");
    expect(refused.err).toContain("sudo loginctl enable-linger ann");
    expect(machine.calls().filter((line) => line.startsWith("loginctl"))).toEqual([]);
    await run("gateway install --force", {}, { tty: true, answers: [""] });
    expect(machine.calls()).toContain("loginctl enable-linger ann");
  });

  test("names drift of what is installed already", async () => {
    await run("gateway install");
    writeFileSync(unit(), readFileSync(unit(), "utf8").replace("Restart=always", "Restart=no"));
    showing(machine, {});
    expect((await run("gateway install")).err).toContain("does not come back after an end");
  });
});

describe("the other verbs", () => {
  test("without a service: stopping is fine, starting is not, and both say how to get one", async () => {
    showing(machine, { LoadState: "not-found", ActiveState: "inactive", MainPID: "0", UnitFileState: "" });
    const stopped = await run("gateway stop");
    expect(stopped).toMatchObject({ code: 0, err: "" });
    expect(stopped.out).toContain("Gateway service disabled.\nopenclaw gateway install\n");
    const started = await run("gateway start");
    expect(started).toMatchObject({ code: 1, out: "" });
    expect(started.err).toContain("openclaw gateway install");
  });

  test("options of a verb go after it", async () => {
    expect((await run("gateway --port 1 install")).err).toContain("options of 'gateway install' go after it");
    expect((await run("gateway restart --wait 5")).err).toContain("unknown option '--wait'");
  });
});
