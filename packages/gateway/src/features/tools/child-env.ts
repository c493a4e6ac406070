/** Environment of children (R-PROC-4): empty, plus an allow-list of the person's own, plus what the call asks for. Gateway
 *  secrets and provider keys are not on the list, so they cannot leak by a name nobody thought of. */
import { delimiter } from "node:path";
import type { World } from "../../kernel/world.ts";

const passedOn = new Set(
  [
    "PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TMP TEMP EDITOR VISUAL PAGER COLORTERM",
    "DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSL_CERT_FILE SSL_CERT_DIR",
    "HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy",
    "NVM_DIR PNPM_HOME BUN_INSTALL DENO_INSTALL VOLTA_HOME CARGO_HOME RUSTUP_HOME GOPATH GOROOT JAVA_HOME ANDROID_HOME",
    "PYENV_ROOT RBENV_ROOT HOMEBREW_PREFIX HOMEBREW_CELLAR HOMEBREW_REPOSITORY",
    "SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86)",
    "COMMONPROGRAMFILES USERPROFILE USERNAME USERDOMAIN HOMEDRIVE HOMEPATH NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE OS",
  ]
    .join(" ")
    .split(" "),
);
const passedOnPrefix = /^(LC_|XDG_)/u;

/** Variables that make a program load or run something else than what the command says. */
const loaders =
  /^(LD_.*|DYLD_.*|_?JAVA_.*OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|NODE_OPTIONS|NODE_PATH|PYTHON(PATH|HOME|STARTUP|INSPECT|BREAKPOINT|USERBASE)|PERL5?(LIB|OPT|DB)|RUBY(OPT|LIB)|BASH_ENV|BASH_FUNC_.*|ENV|ZDOTDIR|IFS|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|GCONV_PATH|LOCPATH|HOSTALIASES|GIT_(SSH|SSH_COMMAND|EXEC_PATH|EXTERNAL_DIFF|PAGER|EDITOR|PROXY_COMMAND|CONFIG.*)|LUA_(INIT|PATH|CPATH).*|PHPRC|PHP_INI_SCAN_DIR|ELECTRON_RUN_AS_NODE|COR_PROFILER.*|COMPLUS_.*|DOTNET_STARTUP_HOOKS|PATH|PATHEXT|COMSPEC|SHELL)$/iu;

const validName = /^[A-Za-z_][A-Za-z0-9_()]{0,127}$/u;

/** Environment for a command. Throws when `extra` names a loader variable or PATH, or is not made of strings. */
export function childEnvironment(
  world: Pick<World, "env" | "platform">,
  options: { pathPrepend?: readonly string[]; extra?: Readonly<Record<string, unknown>>; term?: string } = {},
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(world.env)) {
    if (value === undefined || value === "" || hasCredentials(value)) continue;
    const listed = passedOn.has(world.platform === "win32" ? name.toUpperCase() : name);
    if (listed || passedOnPrefix.test(name)) env[name] = value;
  }
  const pathName = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  env[pathName] ??= world.platform === "win32" ? "C:\\Windows\\System32" : "/usr/local/bin:/usr/bin:/bin";
  if (options.pathPrepend?.length) env[pathName] = [...options.pathPrepend, env[pathName]].join(delimiter);
  env.TERM = options.term ?? "dumb";
  for (const [name, value] of Object.entries(options.extra ?? {})) {
    if (!validName.test(name)) throw new Error(`env: ${JSON.stringify(name.slice(0, 100))} is not a variable name`);
    if (loaders.test(name)) {
      throw new Error(
        `env: ${name} may not be set, because it changes which programs run. Use absolute paths in the command instead.`,
      );
    }
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw new Error(`env: ${name} must be a string`);
    }
    const text = String(value);
    if (text.includes("\0")) throw new Error(`env: ${name} contains a NUL character`);
    env[name] = text;
  }
  return env;
}

/** A proxy address with user and password inside is a secret too. */
const hasCredentials = (value: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]+@/iu.test(value);
