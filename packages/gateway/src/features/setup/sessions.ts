/** The wizard over RPC (protocol.md §13.13): one at a time; one that is left alone ends after ten minutes. */
import { GatewayError } from "@openclaw/protocol";
import type { Timer, World } from "../../kernel/world.ts";
import type { SetupPorts } from "./ports.ts";
import type { Step } from "./step.ts";
import { onboardSteps } from "./steps.ts";
import { Wizard } from "./wizard.ts";

export const idleMs = 10 * 60_000;

type Status = "running" | "done" | "cancelled" | "error";

interface Session {
  id: string;
  status: Status;
  error?: string;
  wizard?: Wizard;
  /** A step is being worked on. */
  busy: boolean;
  timer?: Timer;
}

export interface Turn {
  done: boolean;
  step?: Step;
  status: Status;
  error?: string;
}

export class SetupSessions {
  readonly #world: Pick<World, "uuid" | "after">;
  readonly #ports: SetupPorts;
  /** The last one; an ended one is kept so that its outcome can be asked for. */
  #session: Session | undefined;

  constructor(options: { world: Pick<World, "uuid" | "after">; ports: SetupPorts }) {
    this.#world = options.world;
    this.#ports = options.ports;
  }

  /** Throws GatewayError("unavailable") while another one runs. */
  async start(given: { mode?: string; workspace?: string }): Promise<Turn & { sessionId: string }> {
    if (this.#session?.status === "running")
      throw new GatewayError("unavailable", "wizard already running", { retryable: false });
    const session: Session = { id: this.#world.uuid(), status: "running", busy: true };
    this.#session = session;
    const turn = await this.#work(session, async () => {
      const facts = await this.#ports.facts();
      session.wizard = new Wizard({
        rules: onboardSteps,
        facts,
        ports: this.#ports,
        draft: { command: "onboard" },
        given: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      });
    });
    return { sessionId: session.id, ...turn };
  }

  /** Without an answer: the step that waits for one. Throws GatewayError for an unknown or ended session, and for an answer to
   *  another step. */
  async next(sessionId: string, answer?: { stepId: string; value?: unknown }): Promise<Turn> {
    const session = this.#find(sessionId);
    const { wizard } = session;
    if (session.status !== "running" || wizard === undefined) throw new GatewayError("conflict", "wizard not running");
    if (session.busy) throw new GatewayError("conflict", "wizard is working on a step; ask again when it has answered");
    session.busy = true;
    let problem: string | undefined;
    const turn = await this.#work(session, async () => {
      if (answer === undefined) return;
      const step = await wizard.current();
      if (step?.id === answer.stepId) problem = await wizard.answer(answer.value);
      else problem = `The wizard waits for an answer to "${step?.id}".`;
    });
    return problem === undefined ? turn : { ...turn, error: problem };
  }

  cancel(sessionId: string): { status: Status; error?: string } {
    const session = this.#find(sessionId);
    if (session.status === "running") end(session, "cancelled");
    return outcome(session);
  }

  status(sessionId: string): { status: Status; error?: string } {
    return outcome(this.#find(sessionId));
  }

  #find(id: string): Session {
    if (this.#session?.id !== id) throw new GatewayError("not-found", "wizard not found");
    return this.#session;
  }

  /** Does the work, then looks for the next step. A failure ends the session; its text is for the person. */
  async #work(session: Session, run: () => Promise<void>): Promise<Turn> {
    session.timer?.cancel();
    try {
      await run();
      const step = await session.wizard?.current();
      if (session.status !== "running") return { done: true, ...outcome(session) };
      if (step) {
        session.timer = this.#world.after(idleMs, () => end(session, "cancelled", "left alone for ten minutes"));
        return { done: false, step, status: "running" };
      }
      end(session, session.wizard?.state.draft.declined ? "cancelled" : "done");
    } catch (error) {
      const text = error instanceof GatewayError ? error.message : "the set-up failed; the log of the gateway says why";
      end(session, "error", text);
      if (!(error instanceof GatewayError)) throw error;
    } finally {
      session.busy = false;
    }
    return { done: true, ...outcome(session) };
  }
}

function end(session: Session, status: Status, error?: string): void {
  if (session.status !== "running") return;
  session.timer?.cancel();
  session.status = status;
  if (error !== undefined) session.error = error;
  // The answers hold secrets.
  delete session.wizard;
}

const outcome = ({ status, error }: Session) => ({ status, ...(error === undefined ? {} : { error }) });
