import { afterAll, describe } from "vitest";
import { closeBrowser } from "./browser.ts";
import { accessCases } from "./views-access.ts";
import { skillsViewCases } from "./views-skills.ts";
afterAll(closeBrowser);
describe("access", accessCases);
describe("skills", skillsViewCases);
