/** The rooms behind the few commands that are more than a call. Loaded only when such a command runs. */
export const rooms = {
  gateway: { id: "gateway", summary: "assembles and runs the gateway", load: () => import("../assembly/run.ts") },
  setup: { id: "setup", summary: "first config and workspace", load: () => import("../assembly/setup.ts") },
  config: { id: "config", summary: "edits the config file", load: () => import("../config/write.ts") },
  sections: { id: "sections", summary: "every config key", load: () => import("../assembly/sections.ts") },
} as const;
