/** All cases of the views but chat. */
import { describe } from "vitest";
import { viewCareCases } from "./views-care.ts";
import { channelViewCases } from "./views-channels.ts";
import { configConflictCases, configViewCases } from "./views-config.ts";
import { operateViewCases } from "./views-operate.ts";

export function viewsCases(): void {
  describe("overview and channels", channelViewCases);
  describe("config", configViewCases);
  describe("config, changed by two", configConflictCases);
  describe("sessions, devices, logs, debug", operateViewCases);
  describe("care of the views", viewCareCases);
}
