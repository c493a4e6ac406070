/** Config keys `plugins.*` and `memory.*` (config.md §7.6). */
import { flag, group, optChoice, optFlag, optGroup, optMap, optOpen, optTexts, text } from "../../config/fields.ts";
import { section } from "../../config/section.ts";

export const pluginsSection = section(
  "plugins",
  { reload: "restart", description: "Extensions.", later: true },
  {
    enabled: flag(true, "Load plugins at all."),
    allow: optTexts("Only these."),
    deny: optTexts("Never these."),
    load: optGroup("Where plugins come from.", { paths: optTexts("Further folders.") }),
    slots: optGroup("Which plugin fills a place there is only once.", {
      memory: text("The memory plugin. Default memory-core."),
    }),
    entries: optMap(
      group("One plugin.", {
        enabled: optFlag("False switches it off."),
        config: optOpen("Its own settings, judged by itself."),
      }),
      "Plugins by id.",
    ),
    installs: optMap(
      group("One installation.", {
        source: optChoice(["npm", "archive", "path"], "Where it came from."),
        spec: text("What was asked for."),
        sourcePath: text("Folder or archive it came from."),
        installPath: text("Folder it is in."),
        version: text("Its version."),
        installedAt: text("When."),
      }),
      "How plugins were installed; kept by the commands.",
    ),
  },
);

export const memorySection = section(
  "memory",
  { reload: "restart", description: "Search in notes and past conversations.", later: true },
  {
    backend: optChoice(["builtin", "qmd"], "What searches. Default builtin."),
    citations: optChoice(["auto", "on", "off"], "Name the source of what was found. Default auto."),
    qmd: optOpen("Settings of the qmd program."),
  },
);
