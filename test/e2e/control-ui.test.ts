/** The built app in a real Chromium against a real gateway. One file, so that one browser serves all cases. */
import { afterAll, describe } from "vitest";
import { closeBrowser } from "./browser.ts";
import { chattingCases } from "./chatting.ts";
import { connectingCases } from "./connecting.ts";

afterAll(closeBrowser);

describe("connecting", connectingCases);
describe("chatting", chattingCases);
