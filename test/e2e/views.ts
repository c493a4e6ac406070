/** All cases of the views but chat. */
import { describe } from "vitest";
import { approvalCases } from "./views-approvals.ts";
import { accessCases } from "./views-access.ts";
import { basePathCases, viewCareCases } from "./views-care.ts";
import { channelViewCases } from "./views-channels.ts";
import { configApplyCases, configConflictCases, configViewCases } from "./views-config.ts";
import { cronViewCases } from "./views-cron.ts";
import { configHistoryCases } from "./views-history.ts";
import { markupCases } from "./views-markup.ts";
import { operateViewCases } from "./views-operate.ts";
import { skillsViewCases } from "./views-skills.ts";

export function viewsCases(): void {
  describe("overview and channels", channelViewCases);
  describe("config", configViewCases);
  describe("config, changed by two", configConflictCases);
  describe("config, applied", configApplyCases);
  describe("config, its history", configHistoryCases);
  describe("sessions, devices, logs, debug", operateViewCases);
  describe("cron", cronViewCases);
  describe("approval of commands", approvalCases);
  describe("skills", skillsViewCases);
  describe("what a connection may do", accessCases);
  describe("names that look like markup", markupCases);
  describe("care of the views", viewCareCases);
  describe("below a base path", basePathCases);
}
