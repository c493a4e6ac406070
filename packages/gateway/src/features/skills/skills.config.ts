/** Config keys of the skills (config.md §7.6). */
import { Type } from "typebox";
import { section, type SectionValue } from "../../config/section.ts";

const group = { additionalProperties: false } as const;

export const skillsSection = section(
  "skills",
  { reload: "live", description: "Skills: instructions agents can read when they need them." },
  {
    allowBundled: Type.Optional(
      Type.Array(Type.String(), { description: "Only these of the bundled skills. Unset means all." }),
    ),
    load: Type.Object(
      {
        extraDirs: Type.Array(Type.String(), {
          default: [],
          description: "Further directories of skills, of lowest rank.",
        }),
        watch: Type.Boolean({ default: true, description: "Notice changed skills without a restart." }),
        watchDebounceMs: Type.Integer({
          default: 250,
          minimum: 0,
          description: "Milliseconds for which a listing is reused before the disk is looked at again.",
        }),
      },
      { ...group, description: "Where skills come from." },
    ),
    install: Type.Object(
      {
        preferBrew: Type.Boolean({ default: true, description: "Prefer Homebrew where a skill offers several ways." }),
        nodeManager: Type.Enum(["npm", "pnpm", "yarn", "bun"], {
          default: "npm",
          description: "Package manager for Node programs.",
        }),
      },
      { ...group, description: "How what skills need is installed." },
    ),
    entries: Type.Record(
      Type.String(),
      Type.Object(
        {
          enabled: Type.Optional(Type.Boolean({ description: "False hides the skill." })),
          apiKey: Type.Optional(
            Type.String({ sensitive: true, description: "Value of the skill's primary variable." }),
          ),
          env: Type.Optional(
            Type.Record(Type.String(), Type.String({ sensitive: true }), { description: "Variables for the skill." }),
          ),
          config: Type.Optional(
            Type.Record(Type.String(), Type.Unknown(), { description: "Settings of the skill itself." }),
          ),
        },
        group,
      ),
      { default: {}, description: "Settings per skill, by its key." },
    ),
  },
);

export type SkillsConfig = SectionValue<typeof skillsSection>;
