/** The built app in a real Chromium against a real gateway: getting in, talking, staying. The views have a file of their own, so
 *  that two run side by side; one browser serves all cases of a file. */
import { afterAll, describe } from "vitest";
import { browserPath, closeBrowser, needsBrowser } from "./browser.ts";
import { careCases } from "./care.ts";
import { chattingCases } from "./chatting.ts";
import { connectingCases } from "./connecting.ts";
import { journeyCases } from "./journey.ts";
import { longChatCases } from "./long-chat.ts";
import { needsNginx, nginxPath } from "./nginx.ts";
import { proxyCases } from "./proxy.ts";
import { restartingCases } from "./restarting.ts";
import { sequenceCases } from "./sequences.ts";
import { steadyCases } from "./steady.ts";

afterAll(closeBrowser);

/** Without what they need the cases say so and are skipped, which fails in CI. */
const missing = browserPath() === undefined ? needsBrowser : undefined;
const cases = (name: string, run: () => void, needs = missing) =>
  describe.skipIf(needs !== undefined)(needs === undefined ? name : `${name} (${needs})`, run);

cases("connecting", connectingCases);
cases("frames in an awkward order", sequenceCases);
cases("a restart", restartingCases);
cases("chatting", chattingCases);
cases("long conversations", longChatCases);
cases("care", careCases);
cases("pages that stay", steadyCases);
cases("the whole way", journeyCases);
cases("behind nginx", proxyCases, missing ?? (nginxPath() === undefined ? needsNginx : undefined));
