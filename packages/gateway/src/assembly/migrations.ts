/** Every room's migrations, in a fixed order: what the gateway and the offline commands open the store with. */
import { runMigrations } from "../features/agents/index.ts";
import { automationMigrations } from "../features/automation/index.ts";
import { channelMigrations } from "../features/channels/index.ts";
import { deviceMigrations } from "../features/devices/index.ts";
import { sessionMigrations } from "../features/sessions/index.ts";
import type { Migration } from "../store/index.ts";
import { sentinelMigrations } from "./sentinel.ts";

export const storeMigrations: readonly Migration[] = [
  ...sessionMigrations,
  ...deviceMigrations,
  ...runMigrations,
  ...sentinelMigrations,
  ...channelMigrations,
  ...automationMigrations,
];
