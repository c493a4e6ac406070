/** Doctor: what may be wrong with an installation, and what a repair would do. Works with a broken config, and whether the
 *  gateway runs or not. Looking changes no byte; a repair touches only what its finding names, and keeps a copy of what it
 *  replaces in `<state>/backups`. Texts hold no secret. */
import type { Check } from "./check.ts";
import { channelChecks } from "./channels.ts";
import { configChecks } from "./config.ts";
import { fileChecks } from "./files.ts";
import { gatewayChecks } from "./gateway.ts";
import { installationChecks } from "./installation.ts";
import { runChecks, type DoctorOptions, type DoctorReport } from "./run.ts";
import { serviceChecks } from "./service.ts";
import { storeChecks } from "./store.ts";
import { workspaceChecks } from "./workspace.ts";

export type { Check, Finding, Severity } from "./check.ts";
export type { DoctorOptions, DoctorReport, Repair } from "./run.ts";

/** In this order: what comes later builds on what comes before. */
export const checks: readonly Check[] = [
  ...fileChecks,
  ...configChecks,
  ...gatewayChecks,
  ...storeChecks,
  ...workspaceChecks,
  ...channelChecks,
  ...installationChecks,
  ...serviceChecks,
];

export const runDoctor = (options: DoctorOptions): Promise<DoctorReport> => runChecks(checks, options);
