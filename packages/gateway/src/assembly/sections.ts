/** Every config section, in the order of the reference page. Those whose feature comes later are judged and kept, and marked. */
import { documentSections, type Declared, type SectionValue } from "../config/index.ts";
import { agentsSection, commandsSection, messagesSection } from "../features/agents/index.ts";
import { modelsSection } from "../features/models/index.ts";
import { sessionSection } from "../features/sessions/index.ts";
import { skillsSection } from "../features/skills/index.ts";
import { loggingSection } from "../features/status/index.ts";
import { toolsSection } from "../features/tools/index.ts";
import { VERSION } from "../kernel/version.ts";
import { gatewaySection } from "../server/gateway.config.ts";
import { laterSections } from "./later-sections.ts";

export const sections = [
  gatewaySection,
  agentsSection,
  modelsSection,
  sessionSection,
  messagesSection,
  commandsSection,
  toolsSection,
  skillsSection,
  loggingSection,
  ...documentSections,
  ...laterSections,
] as const;

type Sections = (typeof sections)[number];

/** The effective config: every declared key with its default. */
export type EffectiveConfig = { [S in Sections as S["path"]]: SectionValue<S> };

export const declared: Declared = { sections, version: VERSION };
