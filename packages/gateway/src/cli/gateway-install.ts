/** `gateway install`: checks that the gateway could run as a service, keeps a typed token where the service finds it, and hands
 *  over to the service room (lifecycle.md §9.2, §9.6). */
import type { World } from "../kernel/world.ts";
import { VERSION } from "../kernel/version.ts";
import type { OpenedService, Outcome, ServiceState } from "../service/index.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { openFor, report } from "./gateway-service.ts";
import { suggest } from "./profile.ts";
import { rooms } from "./rooms.ts";
import { keepSecrets, unseenKeys } from "./service-secrets.ts";

export async function run(context: Context): Promise<number> {
  const { options } = context;
  const port = portOf(context);
  const token = options.text("token");
  checkRuntime(options.text("runtime"), "--runtime");
  const wanted = { port, token, force: options.has("force") };
  return report(context, await installGateway(context, wanted));
}

/** Throws CommandError. */
export function checkRuntime(runtime: string | undefined, flag: string): void {
  if (runtime === "bun")
    throw new CommandError("The gateway needs Node: bun lacks parts of it. Nothing was installed.");
  if (runtime !== undefined && runtime !== "node") throw new CommandError(`Invalid ${flag} (use "node" or "bun")`);
}

export interface Wanted {
  /** The configured one without. */
  port: number | undefined;
  /** Typed on the command line. */
  token: string | undefined;
  force: boolean;
}

/** What `gateway install` does, and the set-up when a service is wanted. */
export async function installGateway(context: Context, { port, token, force }: Wanted): Promise<Outcome> {
  const { io } = context;
  const { installService, programAt } = await rooms.service.load();
  const service = await openFor(context);
  const { ask } = io;
  const asks = ask !== undefined && !context.json && io.stdout.isTTY;
  return installService(service, {
    version: VERSION,
    force,
    source: programAt(import.meta.dirname),
    prepare: (before) => prepare(context, service, { port, token }, before),
    linger: {
      interactive: asks,
      agreed: async () => {
        if (!asks) return true;
        const answer = await ask(
          "Without lingering systemd ends the gateway when you log out, and starts it at the next login only.\nKeep it running (may ask for your sudo password)? [Y/n] ",
        );
        return answer !== undefined && /^(y(es)?)?$/iu.test(answer.trim());
      },
    },
  });
}

function portOf({ options }: Context): number | undefined {
  const text = options.text("port");
  if (text === undefined) return undefined;
  const value = /^\d{1,5}$/u.test(text.trim()) ? Number(text) : 0;
  if (value < 1 || value > 65_535) throw new CommandError("Invalid port");
  return value;
}

async function prepare(
  context: Context,
  service: OpenedService,
  { port: flag, token: typed }: Pick<Wanted, "port" | "token">,
  before: ServiceState,
): Promise<{ port: number; warnings: string[] }> {
  const { portOfCommand, ServiceError } = await rooms.service.load();
  const { configuredPort } = await rooms.judge.load();
  const world = withToken(service.serviceWorld, typed);
  let port: number;
  try {
    port = configuredPort(flag === undefined ? {} : { port: flag }, world);
  } catch (error) {
    throw new ServiceError({
      code: "configuration",
      message: `the gateway could not start. ${(error as Error).message}`,
      hints: [suggest(context.io.env, "doctor"), suggest(context.io.env, "setup")],
    });
  }
  const own = before.runtime.status === "running" && before.command && portOfCommand(before.command) === port;
  if (!own) await refuseTaken(port, context, ServiceError);
  const asked = configuredPort({}, without(world));
  const elsewhere =
    asked === port
      ? []
      : [
          `Commands look for the gateway on port ${asked}. Run: ${suggest(context.io.env, `config set gateway.port ${port}`)}`,
        ];
  const kept = await keepSecrets({
    world,
    typed,
    own: service.user === undefined || service.machine.sudoUser === undefined,
  });
  return { port, warnings: [...elsewhere, ...kept, ...(await unseenKeys(service.serviceWorld))] };
}

/** What the file says, not a variable of this shell that the next one may lack. */
const without = (world: World): World => ({ ...world, env: { ...world.env, OPENCLAW_GATEWAY_PORT: undefined } });

const withToken = (world: World, token: string | undefined): World =>
  token === undefined ? world : { ...world, env: { ...world.env, OPENCLAW_GATEWAY_TOKEN: token } };

/** A service beside a gateway in a terminal would only fail, again and again. */
async function refuseTaken(
  port: number,
  { io }: Context,
  ServiceError: typeof import("../service/index.ts").ServiceError,
): Promise<void> {
  const { describeHolder, holdersOf, portAnswers, portHints } = await rooms.listeners.load();
  const holders = holdersOf(port);
  if (holders.length === 0 && !(await portAnswers(port))) return;
  const ours = holders.some(({ command }) => /openclaw/u.test(command));
  throw new ServiceError({
    code: "port-taken",
    message: `port ${port} is already in use${holders.length > 0 ? `: ${holders.map(describeHolder).join(", ")}` : ""}.`,
    hints: ours
      ? ["Stop the gateway that runs in a terminal with Ctrl-C, then install again."]
      : [...portHints(holders, io), suggest(io.env, "gateway install --port <n>")],
  });
}
