/** Config keys of the document itself (config.md §7.2): its environment and its bookkeeping. */
import { Type } from "typebox";
import { flag, optChoice, optGroup, optMap, text, whole } from "./fields.ts";
import { section } from "./section.ts";

const variable = Type.String({ sensitive: true, description: "Exported when the name is not set." });

export const envSection = section(
  "env",
  {
    reload: "restart",
    description: "Environment variables for everything the gateway does. A name that is set already keeps its value.",
  },
  {
    vars: optMap(variable, "Variables by name."),
    shellEnv: optGroup("Import of missing provider keys from a login shell.", {
      enabled: flag(false, "Ask the shell."),
      timeoutMs: whole(15_000, "Longest wait for it.", { minimum: 0 }),
    }),
  },
  variable,
);

export const metaSection = section(
  "meta",
  { reload: "none", description: "Who wrote the file last. Kept up to date where it stands, never added." },
  { lastTouchedVersion: text("Version of the program."), lastTouchedAt: text("When, as ISO date.") },
);

export const wizardSection = section(
  "wizard",
  { reload: "none", description: "When the set-up was run last." },
  {
    lastRunAt: text("When, as ISO date."),
    lastRunVersion: text("Version of the program."),
    lastRunCommit: text("Commit of the program."),
    lastRunCommand: text("Command."),
    lastRunMode: optChoice(["local", "remote"], "Mode that was set up."),
  },
);

/** In the order of the document. */
export const documentSections = [envSection, metaSection, wizardSection] as const;
