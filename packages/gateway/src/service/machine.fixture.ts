/** For tests: a machine of their own. Its files stand below a temporary root, its service managers are scripts that record how
 *  they were called and answer what the test says. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemWorld, type World } from "../kernel/world.ts";
import { openService, type OpenedService, type OpenOptions } from "./open.ts";

export interface FakeMachine {
  root: string;
  home: string;
  uid: number;
  /** Every call of a tool, as one line each. */
  calls(): string[];
  forget(): void;
  /** Makes a tool: the body of a shell script, with the words of the call in `$*`. Only built-ins of the shell are there. */
  tool(name: string, body: string): void;
  /** A Node of that version below the root. */
  node(path: string, version: string): void;
  /** A file below the root. */
  file(path: string, text?: string): void;
  folder(path: string): void;
  has(path: string): boolean;
  env(extra?: Record<string, string>): Record<string, string>;
  world(options?: { env?: Record<string, string>; platform?: NodeJS.Platform }): World;
  open(options?: Partial<OpenOptions> & { env?: Record<string, string>; platform?: NodeJS.Platform }): OpenedService;
  remove(): void;
}

/** Nobody's machine yet: no systemd, no tool. `home` may be one that exists already. */
export function fakeMachine({ home, uid = 1000 }: { home?: string; uid?: number } = {}): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), "openclaw-machine-"));
  const own = home ?? join(root, "home", "ann");
  const bin = join(root, "tools");
  const record = join(root, "calls");
  const inside = (path: string) => join(root, path);
  const make = (path: string, text: string, mode: number) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
  };
  mkdirSync(own, { recursive: true });
  mkdirSync(bin);
  writeFileSync(record, "");
  make(inside("/etc/passwd"), `root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann:${own}:/bin/sh\n`, 0o644);
  const env = (extra: Record<string, string> = {}) => ({
    HOME: own,
    PATH: bin,
    USER: uid === 0 ? "root" : "ann",
    ...extra,
  });
  const world: FakeMachine["world"] = ({ env: extra = {}, platform = "linux" } = {}) => ({
    ...systemWorld(env(extra)),
    platform,
    // Read by a shell, not executed: a file that was just written may still be busy, held by a process another test forks.
    spawn(command, args, options) {
      const onPath = options?.env?.PATH?.split(":").includes(bin) === true;
      const script = command.startsWith("/") || !onPath ? command : join(bin, command);
      const ours = script.startsWith(root) && existsSync(script);
      const { spawn } = systemWorld();
      return ours ? spawn("/bin/sh", [script, ...args], options) : spawn(command, args, options);
    },
    // Waits of a retry are shortened; their order stays.
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 100)),
  });
  return {
    root,
    home: own,
    uid,
    calls: () => readFileSync(record, "utf8").split("\n").filter(Boolean),
    forget: () => writeFileSync(record, ""),
    tool(name, body) {
      make(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"${record}"\n${body}\n`, 0o755);
    },
    node: (path, version) => make(inside(path), `#!/bin/sh\necho v${version}\n`, 0o755),
    file: (path, text = "") => make(inside(path), text, 0o644),
    folder: (path) => void mkdirSync(inside(path), { recursive: true }),
    has: (path) => existsSync(inside(path)),
    env,
    world,
    open: ({ env: extra, platform, ...options } = {}) =>
      openService({
        world: world({ ...(extra ? { env: extra } : {}), ...(platform ? { platform } : {}) }),
        root,
        uid,
        ...options,
      }),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }),
  };
}

/** systemd as init, with the user's manager, lingering, and a `systemctl` that keeps its state in a file. */
export function withSystemd(machine: FakeMachine): FakeMachine {
  machine.folder("/run/systemd/system");
  machine.file(`/run/user/${machine.uid}/systemd/private`);
  machine.file(`/var/lib/systemd/linger/${machine.uid === 0 ? "root" : "ann"}`);
  showing(machine, {});
  return machine;
}

/** What `systemctl show` answers from now on; every other verb succeeds. */
export function showing(machine: FakeMachine, properties: Record<string, string>): void {
  const all = {
    LoadState: "loaded",
    ActiveState: "active",
    SubState: "running",
    UnitFileState: "enabled",
    MainPID: "4711",
  };
  const lines = Object.entries({ ...all, ...properties }).map(([name, value]) => `${name}=${value}`);
  machine.tool(
    "systemctl",
    `case "$*" in
  *"show --property=Version"*) echo Version=252 ;;
  *show*) printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} ;;
esac`,
  );
}
