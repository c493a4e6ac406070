/** Config keys `cron.*` (config.md §7.7). */
import { flag, text, whole } from "../../config/fields.ts";
import { section } from "../../config/section.ts";

export const cronSection = section(
  "cron",
  { reload: "cron", description: "Scheduled jobs.", later: true },
  {
    enabled: flag(true, "Run scheduled jobs."),
    store: text("Not used: jobs are kept in the gateway's database.", { advanced: true }),
    maxConcurrentRuns: whole(1, "Jobs at once."),
  },
);
