/** Goes through the steps, for whoever shows them: a terminal, flags, or a client over RPC. */
import { GatewayError } from "@openclaw/protocol";
import type { Draft } from "./draft.ts";
import type { Facts, SetupPorts } from "./ports.ts";
import type { State, Step, StepRule } from "./step.ts";

export interface WizardOptions {
  rules: readonly StepRule[];
  facts: Facts;
  ports: SetupPorts;
  draft: Draft;
  /** Answers that are known already, by step id: those steps are not asked. */
  given?: Readonly<Record<string, unknown>>;
}

export class Wizard {
  readonly state: State;
  readonly #rules: readonly StepRule[];
  readonly #given: Map<string, unknown>;
  #at = 0;

  constructor({ rules, facts, ports, draft, given = {} }: WizardOptions) {
    this.#rules = rules;
    this.#given = new Map(Object.entries(given));
    this.state = { facts, ports, draft };
  }

  /** The step to ask now; undefined at the end. Throws GatewayError("invalid") when a given answer does not fit. */
  async current(): Promise<Step | undefined> {
    for (;;) {
      const rule = this.#rules[this.#at];
      if (rule === undefined) return undefined;
      if (!this.#applies(rule)) {
        this.#at += 1;
        continue;
      }
      if (!this.#given.has(rule.id)) return { id: rule.id, ...rule.show(this.state) };
      const value = this.#given.get(rule.id);
      // Asked again after this, it is asked in earnest.
      this.#given.delete(rule.id);
      const problem = await this.answer(value);
      if (problem !== undefined)
        throw new GatewayError("invalid", problem, { details: { code: "SETUP_ANSWER", step: rule.id } });
    }
  }

  /** Answers the current step. Resolves with what is wrong with the answer; the step is then still the current one. */
  async answer(value: unknown): Promise<string | undefined> {
    const rule = this.#rules[this.#at];
    if (rule === undefined) return undefined;
    const accepted = await rule.accept?.(value, this.state);
    if (accepted && "problem" in accepted) return accepted.problem;
    const back = accepted ? this.#rules.findIndex(({ id }) => id === accepted.back) : -1;
    this.#at = back >= 0 ? back : this.#at + 1;
    return undefined;
  }

  #applies(rule: StepRule): boolean {
    if (this.state.draft.declined) return false;
    const { sections } = this.state.draft;
    if (sections && rule.section && !sections.includes(rule.section)) return false;
    return rule.when?.(this.state) ?? true;
  }
}
