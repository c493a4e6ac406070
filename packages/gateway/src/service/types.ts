/** The service as every back-end shows it, and what may be asked of a back-end. */

export type ManagerName = "systemd" | "launchd" | "schtasks";
export type Scope = "user" | "system";

/** What a definition says is run. */
export interface ServiceCommand {
  programArguments: readonly string[];
  workingDirectory?: string;
  environment: Readonly<Record<string, string>>;
  /** The definition's file. */
  sourcePath: string;
}

export interface ServiceRuntime {
  status: "running" | "stopped" | "unknown";
  /** In the manager's own words. */
  state?: string;
  subState?: string;
  pid?: number;
  /** Exit code, or 128 + n after signal n. */
  lastExitStatus?: number;
  lastExitReason?: string;
  lastRunTime?: string;
  lastRunResult?: string;
  /** Automatic restarts since the last start by hand. */
  restarts?: number;
  /** What the manager answered instead of a state. */
  detail?: string;
  /** The manager still holds a definition whose file is gone. */
  cachedLabel?: boolean;
  missingUnit?: boolean;
}

export interface ServiceState {
  manager: ManagerName;
  scope: Scope;
  /** Unit, launchd label or task name. */
  label: string;
  /** Starts by itself: enabled, loaded or registered. */
  loaded: boolean;
  loadedText: string;
  notLoadedText: string;
  /** There is a definition on disk. */
  installed: boolean;
  /** Where the definition is, or would be. */
  path: string;
  /** Undefined when there is none, or it cannot be read. */
  command?: ServiceCommand;
  /** The definition's text: what an audit compares. */
  text?: string;
  runtime: ServiceRuntime;
  /** Why the manager could not be asked. */
  problem?: ServiceProblem;
  /** The manager is told when the gateway answers: a start that succeeded has answered. */
  tellsReady?: boolean;
  /** Of a systemd user unit: whether it outlives the login. */
  linger?: "yes" | "no" | "unknown";
}

export interface ServiceProblem {
  /** Stable; docs/guides/service.md lists them. */
  code: string;
  message: string;
  /** The next command, first the one that most probably helps. */
  hints: readonly string[];
}

/** A verb that could not be done. The text names the cause, `hints` the next command. */
export class ServiceError extends Error implements ServiceProblem {
  readonly code: string;
  readonly hints: readonly string[];
  constructor(problem: ServiceProblem, options?: ErrorOptions) {
    super(problem.message, options);
    this.name = "ServiceError";
    this.code = problem.code;
    this.hints = problem.hints;
  }
}

/** Everything a definition is made of (R-SVC-3): the same one gives the same text. */
export interface Definition {
  description: string;
  programArguments: readonly string[];
  workingDirectory: string;
  /** In the order in which it is written. Holds no secret. */
  environment: readonly (readonly [name: string, value: string])[];
  stateDir: string;
  /** Whole seconds between the request to stop and SIGKILL. */
  stopTimeoutSeconds: number;
  /** Account of a system unit. */
  user?: string;
}

export interface ServiceBackend {
  readonly manager: ManagerName;
  readonly scope: Scope;
  readonly label: string;
  /** What is on disk; asks no program. */
  definition(): Pick<ServiceState, "installed" | "path" | "command" | "text">;
  /** Never throws: what cannot be seen is told in the state. */
  look(): Promise<ServiceState>;
  /** Throws ServiceError when a definition could not be installed here, before anything is written. */
  check(): Promise<void>;
  /** The text `install` writes. */
  render(definition: Definition): string;
  /** Writes, enables, and starts anew. Returns what it did, one line each. Throws ServiceError; a definition that was not there
   *  before is then gone again, unless it only does not run. */
  install(definition: Definition): Promise<string[]>;
  /** Stops and removes. Nothing installed is fine. Throws ServiceError. */
  uninstall(): Promise<string[]>;
  /** Each returns its one line of success. Throws ServiceError, with the reason of a start that failed. */
  start(): Promise<string>;
  stop(): Promise<string>;
  restart(): Promise<string>;
  /** Asks the gateway to end once its running turns are over; resolves at once. Throws ServiceError where that cannot be asked. */
  endWhenIdle(): Promise<void>;
}
