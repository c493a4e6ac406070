/** Models: which model answers and how it is asked. Owns config `models`, the catalogue, credentials from environment and
 *  config, the wire dialects, retries, failover and the hygiene of what a model is shown. A stream never throws; its last
 *  event is `done` or `failed`. Provider libraries are loaded at the first call, not with this door. Knows nothing of
 *  sessions, tools or channels. */
export { catalogue, type CatalogueProvider } from "./catalogue.ts";
export { hygiene } from "./hygiene.ts";
export { checkContextWindow, windowFloor, windowWarning } from "./context-window.ts";
export { discoverLocal, type LocalOffer } from "./local.ts";
export type { ModelsConfig } from "./models.config.ts";
export { modelsSection } from "./models.config.ts";
export { modelMethods } from "./models.methods.ts";
export type { AgentModelSelection, ModelsDescription, ModelsOptions } from "./models.ts";
export { Models } from "./models.ts";
export type {
  CallSettings,
  FailureReason,
  ModelApi,
  ModelDirectory,
  ModelEntry,
  ModelEvent,
  ModelFailure,
  ModelProvider,
  ModelRequest,
  ThinkingLevel,
  ToolSpec,
} from "./provider.ts";
export { parseThinkingLevel } from "./provider.ts";
export type { ModelSelection } from "./references.ts";
export { thinkingLevels } from "./thinking.ts";
