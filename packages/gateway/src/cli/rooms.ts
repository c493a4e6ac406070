/** The rooms behind the few commands that are more than a call. Loaded only when such a command runs. */
export const rooms = {
  gateway: { id: "gateway", summary: "assembles and runs the gateway", load: () => import("../assembly/run.ts") },
  setup: { id: "setup", summary: "first config and workspace", load: () => import("../assembly/setup.ts") },
  onboard: { id: "onboard", summary: "the steps of the set-up", load: () => import("../assembly/onboard.ts") },
  prompts: { id: "prompts", summary: "questions on a terminal", load: () => import("./prompts.ts") },
  import: { id: "import", summary: "takes an older state directory over", load: () => import("../assembly/import.ts") },
  export: { id: "export", summary: "writes sessions as files", load: () => import("../assembly/export.ts") },
  config: { id: "config", summary: "reads and edits the config file", load: () => import("../config/index.ts") },
  sections: { id: "sections", summary: "every config key", load: () => import("../assembly/sections.ts") },
  doctor: { id: "doctor", summary: "finds and repairs faults", load: () => import("../assembly/doctor/index.ts") },
  listeners: { id: "listeners", summary: "who holds a port", load: () => import("../assembly/doctor/listeners.ts") },
  install: { id: "install", summary: "how the program was installed", load: () => import("../assembly/install.ts") },
  service: { id: "service", summary: "the service manager", load: () => import("../service/index.ts") },
  judge: { id: "judge", summary: "whether a start would succeed", load: () => import("../assembly/judge.ts") },
  dotenv: { id: "dotenv", summary: "keeps a secret beside the config", load: () => import("../assembly/dotenv.ts") },
} as const;
