/** `onboard`: the set-up step by step, or from flags without a question (cli.md §2.3). */
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { checkRuntime, installGateway } from "./gateway-install.ts";
import { report } from "./gateway-service.ts";
import { flagOf, readFlags } from "./onboard-flags.ts";
import { suggest } from "./profile.ts";
import { runWizard } from "./wizard.ts";
import type { Outcome } from "../service/index.ts";

export async function run(context: Context): Promise<number> {
  const { options, io } = context;
  const silent = options.has("non-interactive");
  const example = suggest(io.env, "onboard --non-interactive --accept-risk");
  if (silent && !options.has("accept-risk")) {
    throw new CommandError(
      `--non-interactive needs --accept-risk: an agent reads files, runs commands and talks in your name.\nRun: ${example}`,
    );
  }
  if (context.json && !silent) throw new CommandError(`--json needs --non-interactive. Run: ${example} --json`);
  const { given, authChoice } = readFlags(options, silent);
  checkRuntime(options.text("daemon-runtime"), "--daemon-runtime");
  const wizard = await runWizard(context, {
    command: "onboard",
    title: "OpenClaw: first set-up",
    flags: flagOf,
    given: silent ? { ...given, apply: true } : given,
    silent,
    lookAround: authChoice === "ollama" || authChoice === "lmstudio",
    reset: options.has("tailscale-reset-on-exit"),
    instead: `Without one: ${example} [--anthropic-api-key <key>] [--gateway-port <n>] …; see ${suggest(io.env, "onboard --help")}`,
  });
  const { draft, facts } = wizard.state;
  if (draft.declined) return 1;
  const outcome = await service(context, silent, draft.mode ?? facts.present.mode);
  const kept = draft.existing === "reset" ? undefined : facts.present;
  if (context.json) {
    context.printJson({
      mode: draft.mode,
      workspace: draft.workspace ?? kept?.workspace,
      authChoice: authChoice ?? taken(draft.provider),
      gateway: {
        port: draft.port ?? kept?.port ?? facts.defaultPort,
        bind: draft.bind ?? kept?.bind ?? "loopback",
        authMode: draft.auth ?? kept?.authMode ?? "token",
        tailscaleMode: draft.tailscale ?? kept?.tailscale ?? "off",
      },
      installDaemon: outcome?.ok === true,
      ...(outcome ? { service: outcome } : {}),
      skipSkills: true,
      skipHealth: true,
    });
    return outcome?.ok === false ? 1 : 0;
  }
  if (silent) context.print(...(draft.written ?? []));
  return outcome ? report(context, outcome) : 0;
}

/** The service at the end of the set-up: when a flag asks for it, or the person does. Undefined when there is to be none. */
async function service(context: Context, silent: boolean, mode: string | undefined): Promise<Outcome | undefined> {
  const { options, io } = context;
  const refused = options.has("no-install-daemon") || options.has("skip-daemon");
  if (mode === "remote" || refused || (silent && !options.has("install-daemon"))) return undefined;
  if (!options.has("install-daemon")) {
    const answer = await io.ask?.("Install the gateway as a service, so that it is always on? [Y/n] ");
    if (answer === undefined || !/^(y(es)?)?$/iu.test(answer.trim())) return undefined;
  }
  return installGateway(context, { port: undefined, token: undefined, force: false });
}

/** Nobody chose: a key in the environment did, or nothing. */
const taken = (provider: string | undefined): string =>
  provider === undefined || provider === "keep" || provider === "skip" ? "skip" : `${provider}-api-key`;
