/** All cases of the views but chat. */
import { describe } from "vitest";
import { approvalCases } from "./views-approvals.ts";
import { viewCareCases } from "./views-care.ts";
import { channelViewCases } from "./views-channels.ts";
import { configConflictCases, configViewCases } from "./views-config.ts";
import { cronViewCases } from "./views-cron.ts";
import { configHistoryCases } from "./views-history.ts";
import { operateViewCases } from "./views-operate.ts";

export function viewsCases(): void {
  describe("overview and channels", channelViewCases);
  describe("config", configViewCases);
  describe("config, changed by two", configConflictCases);
  describe("config, its history", configHistoryCases);
  describe("sessions, devices, logs, debug", operateViewCases);
  describe("cron", cronViewCases);
  describe("approval of commands", approvalCases);
  describe("care of the views", viewCareCases);
}
