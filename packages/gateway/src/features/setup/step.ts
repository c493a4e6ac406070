/** The shape of a step, as the protocol sends it (protocol.md §13.13), and what a step does with its answer. */
import type { Draft } from "./draft.ts";
import type { Facts, SetupPorts } from "./ports.ts";

export interface StepOption {
  value: string;
  label: string;
  hint?: string;
}

export interface Step {
  id: string;
  type: "note" | "select" | "text" | "confirm" | "multiselect";
  title?: string;
  message?: string;
  options?: StepOption[];
  /** Taken when nobody is asked. */
  initialValue?: string | boolean | string[];
  placeholder?: string;
  /** The answer is a secret: shown masked, kept out of logs. */
  sensitive?: boolean;
}

/** Parts of the set-up `configure --section` can name (cli.md §2.3). */
export const setupSections = [
  "workspace",
  "model",
  "web",
  "gateway",
  "daemon",
  "channels",
  "skills",
  "health",
] as const;
export type SetupSection = (typeof setupSections)[number];

/** What everything about one run of the wizard is read from and written to. */
export interface State {
  readonly facts: Facts;
  readonly ports: SetupPorts;
  readonly draft: Draft;
}

/** A problem is put to the person and the step asked again; `back` asks an earlier one again. */
export type Accepted = void | { problem: string } | { back: string };

export interface StepRule {
  id: string;
  section?: SetupSection;
  /** False: not asked this time. Absent: always. */
  when?(state: State): boolean;
  show(state: State): Omit<Step, "id">;
  /** Judges the answer and keeps it in the draft. Absent on notes. */
  accept?(value: unknown, state: State): Accepted | Promise<Accepted>;
}
