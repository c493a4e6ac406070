/** Runs the steps of the set-up for a command: on the terminal, or from flags without asking. */
import type { Draft, Wizard } from "../assembly/onboard.ts";
import { GatewayError } from "@openclaw/protocol";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";

export interface WizardCall {
  command: "onboard" | "configure";
  title: string;
  given: Readonly<Record<string, unknown>>;
  /** The flag that answers a step, for messages. */
  flags?: Readonly<Record<string, string>>;
  /** Without anybody to ask: every step not given takes what it offers. */
  silent: boolean;
  /** `--tailscale-reset-on-exit`: no step asks for it. */
  reset?: boolean;
  /** Look for model servers on this machine although nobody is asked. */
  lookAround?: boolean;
  /** What to say where nobody sits. */
  instead: string;
}

/** Resolves with what was said. Throws CommandError where it has to ask and cannot, Interrupted on Ctrl-C. */
export async function runWizard(context: Context, call: WizardCall): Promise<Wizard> {
  const { io } = context;
  if (!call.silent && !(io.ask && io.stderr.isTTY)) throw new CommandError(`This needs a terminal. ${call.instead}`);
  const [{ setupPorts, Wizard: Steps, onboardSteps, configureSteps }, world] = await Promise.all([
    rooms.onboard.load(),
    io.world(),
  ]);
  const ports = setupPorts(world, {
    keys: "dotenv",
    interactive: !call.silent || call.lookAround === true,
    command: call.command,
  });
  const facts = await ports.facts();
  if (call.command === "configure" && facts.broken !== undefined) throw new CommandError(facts.broken);
  const draft: Draft = { command: call.command, ...(call.reset ? { tailscaleReset: true } : {}) };
  const wizard = new Steps({
    rules: call.command === "onboard" ? onboardSteps : configureSteps,
    facts,
    ports,
    draft,
    given: call.given,
  });
  try {
    if (call.silent) await takeOffers(wizard, call.flags ?? {});
    else await (await rooms.prompts.load()).askAll(wizard, call.title);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const flag = call.flags?.[String(error.details?.step)];
    throw new CommandError(flag ? `${flag}: ${error.message}` : error.message, {}, { cause: error });
  }
  return wizard;
}

async function takeOffers(wizard: Wizard, flags: Readonly<Record<string, string>>): Promise<void> {
  for (;;) {
    const step = await wizard.current();
    if (step === undefined) return;
    const problem = await wizard.answer(step.initialValue);
    if (problem !== undefined) throw new CommandError(`${flags[step.id] ?? step.id}: ${problem}`);
  }
}
