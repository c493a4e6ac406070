/** Every view but chat, of the built app in a real Chromium against a real gateway. */
import { afterAll, describe } from "vitest";
import { browserPath, closeBrowser, needsBrowser } from "./browser.ts";
import { viewsCases } from "./views.ts";

afterAll(closeBrowser);

const none = browserPath() === undefined;
describe.skipIf(none)(none ? `views (${needsBrowser})` : "views", viewsCases);
