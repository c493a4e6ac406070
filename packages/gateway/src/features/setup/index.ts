/** Set-up: the steps of `onboard` and `configure`, and the wizard over RPC. Owns no file and no config key: what it knows of the
 *  machine and how it writes is handed in. Nothing is written before the last step, and then all at once. One wizard over RPC at
 *  a time, forgotten after ten idle minutes. */
export type { Draft } from "./draft.ts";
export type { Plan } from "./plan.ts";
export type { Facts, KeyVerdict, Present, ProviderChoice, SetupPorts } from "./ports.ts";
export { SetupSessions } from "./sessions.ts";
export { setupMethods } from "./setup.methods.ts";
export { setupSections, type Step } from "./step.ts";
export { configureSteps, onboardSteps } from "./steps.ts";
export { Wizard } from "./wizard.ts";
