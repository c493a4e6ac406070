/** The built app in a real Chromium against a real gateway. One file, so that one browser serves all cases. */
import { afterAll, describe } from "vitest";
import { closeBrowser } from "./browser.ts";
import { careCases } from "./care.ts";
import { chattingCases } from "./chatting.ts";
import { connectingCases } from "./connecting.ts";
import { journeyCases } from "./journey.ts";
import { viewsCases } from "./views.ts";

afterAll(closeBrowser);

describe("connecting", connectingCases);
describe("chatting", chattingCases);
describe("care", careCases);
describe("the whole way", journeyCases);
describe("views", viewsCases);
