/** Config keys `browser.*` (config.md §7.7). */
import { Type } from "typebox";
import { flag, group, optChoice, optGroup, optMap, optWhole, text, whole } from "../../config/fields.ts";
import { section } from "../../config/section.ts";

const color = (description: string, extra: object = {}) =>
  Type.String({ pattern: "^#?[0-9a-fA-F]{6}$", description, ...extra });

export const browserSection = section(
  "browser",
  { reload: "browser", description: "The browser that agents drive.", later: true },
  {
    enabled: flag(true, "Offer the browser."),
    evaluateEnabled: flag(true, "Let agents run JavaScript in pages."),
    cdpUrl: text("Address of one remote browser.", { advanced: true }),
    remoteCdpTimeoutMs: whole(1_500, "Deadline of a look at a remote browser.", { minimum: 0 }),
    remoteCdpHandshakeTimeoutMs: optWhole("Deadline of its handshake. Default: twice the above, at least 2000.", {
      minimum: 0,
    }),
    color: color("Tint of the window.", { default: "#FF4500" }),
    executablePath: text("Program of the browser. Default: found by itself."),
    headless: flag(false, "Without a window."),
    noSandbox: flag(false, "Without the browser's own sandbox."),
    attachOnly: flag(false, "Never start a browser, only attach to one."),
    defaultProfile: text("Profile used when none is named. Default: chrome if the extension is there, else openclaw."),
    snapshotDefaults: optGroup("How pages are read.", { mode: optChoice(["efficient"], "Shorter snapshots.") }),
    profiles: optMap(
      group("One profile: needs cdpPort or cdpUrl.", {
        cdpPort: optWhole("Port of its debugger.", { maximum: 65_535 }),
        cdpUrl: text("Address of its debugger."),
        driver: optChoice(["openclaw", "extension"], "Who drives it. Default openclaw."),
        color: color("Tint of its window."),
      }),
      "Profiles by name: lower-case letters, digits and dashes.",
    ),
  },
);
