/** The built app in a real Chromium against a real gateway. One file, so that one browser serves all cases. */
import { afterAll, describe } from "vitest";
import { browserPath, closeBrowser, needsBrowser } from "./browser.ts";
import { careCases } from "./care.ts";
import { chattingCases } from "./chatting.ts";
import { connectingCases } from "./connecting.ts";
import { journeyCases } from "./journey.ts";
import { viewsCases } from "./views.ts";

afterAll(closeBrowser);

const none = browserPath() === undefined;
const cases = (name: string, run: () => void) => describe.skipIf(none)(none ? `${name} (${needsBrowser})` : name, run);

cases("connecting", connectingCases);
cases("chatting", chattingCases);
cases("care", careCases);
cases("the whole way", journeyCases);
cases("views", viewsCases);
