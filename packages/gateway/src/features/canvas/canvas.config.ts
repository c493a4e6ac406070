/** Config keys `canvasHost.*` (config.md §7.2). */
import { flag, optWhole, text } from "../../config/fields.ts";
import { section } from "../../config/section.ts";

export const canvasSection = section(
  "canvasHost",
  { reload: "restart", description: "Pages that agents show on nodes." },
  {
    enabled: flag(true, "Serve them."),
    port: optWhole("Port. Default: the gateway's port + 4.", { maximum: 65_535 }),
    root: text("Folder that is served. Default <workspace>/canvas."),
    liveReload: flag(true, "Reload pages when a file changes."),
  },
);
