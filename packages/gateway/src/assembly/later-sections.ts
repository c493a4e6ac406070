/** Sections of features that come with later releases: judged and kept, so that a config written for them loads. */
import { cronSection, hooksSection } from "../features/automation/index.ts";
import { browserSection } from "../features/browser/index.ts";
import { canvasSection } from "../features/canvas/index.ts";
import { bindingsSection, broadcastSection, channelsSection, webSection } from "../features/channels/index.ts";
import { approvalsSection, discoverySection, nodeHostSection } from "../features/nodes/index.ts";
import { memorySection, pluginsSection } from "../features/plugins/index.ts";
import { unownedSections } from "./unowned.config.ts";

export const laterSections = [
  channelsSection,
  webSection,
  bindingsSection,
  broadcastSection,
  cronSection,
  hooksSection,
  browserSection,
  canvasSection,
  discoverySection,
  nodeHostSection,
  approvalsSection,
  pluginsSection,
  memorySection,
  ...unownedSections,
] as const;
