/** Service: the gateway under the machine's service manager. Owns the definition (unit, plist, task) and nothing else: install
 *  writes it whole or not at all, uninstall leaves nothing, looking changes nothing. Holds no secret. */
export { portOfCommand } from "./command.ts";
export { auditService, type AuditFacts, type Issue } from "./audit.ts";
export { lastWords } from "./last-words.ts";
export { accounts, isWsl, machineOf, type Machine } from "./machine.ts";
export { enableLinger, lingerCommand } from "./linger.ts";
export { notifyManager } from "./notify.ts";
export { openService, type OpenedService, type OpenOptions } from "./open.ts";
export { programAt, type ProgramSource } from "./program.ts";
export { otherServices, removeService, sameNameElsewhere, type OtherService } from "./scan.ts";
export {
  installService,
  restartService,
  startService,
  stopService,
  uninstallService,
  type Action,
  type InstallOptions,
  type Outcome,
  type RestartOptions,
} from "./verbs.ts";
export { ServiceError, type ServiceProblem, type ServiceState } from "./types.ts";
