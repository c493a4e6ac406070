/** What the service is called on each platform (lifecycle.md §9.1), and what it was called before. Pure. */
import type { World } from "../kernel/world.ts";

export interface ServiceNames {
  /** Without "default"; absent for the only gateway of a machine. */
  profile?: string;
  /** With `.service`. */
  unit: string;
  launchdLabel: string;
  task: string;
  legacyUnits: readonly string[];
  legacyLabels: readonly string[];
}

/** Every label of this program begins with it. */
export const labelPrefix = "bot.molt.";
export const unitPrefix = "openclaw-gateway";
/** Written into every definition, so that it is known again. */
export const marker = { OPENCLAW_SERVICE_MARKER: "openclaw", OPENCLAW_SERVICE_KIND: "gateway" } as const;

export function profileOf(env: World["env"]): string | undefined {
  const name = env.OPENCLAW_PROFILE;
  return name && name.toLowerCase() !== "default" ? name : undefined;
}

/** The variables of lifecycle.md §2.4 win over the names made from the profile. */
export function serviceNames(env: World["env"]): ServiceNames {
  const profile = profileOf(env);
  const suffix = profile ? `-${profile}` : "";
  const unit = (env.OPENCLAW_SYSTEMD_UNIT || `${unitPrefix}${suffix}`).replace(/(\.service)?$/u, ".service");
  const earlier = ["clawdbot", "moltbot"];
  return {
    ...(profile ? { profile } : {}),
    unit,
    launchdLabel: env.OPENCLAW_LAUNCHD_LABEL || `${labelPrefix}${profile ?? "gateway"}`,
    task: env.OPENCLAW_WINDOWS_TASK_NAME || (profile ? `OpenClaw Gateway (${profile})` : "OpenClaw Gateway"),
    legacyUnits: earlier.map((name) => `${name}-gateway${suffix}.service`).filter((name) => name !== unit),
    legacyLabels: profile
      ? ["ai.openclaw", "com.openclaw", "com.clawdbot"].map((name) => `${name}.${profile}`)
      : ["ai.openclaw.gateway", "com.openclaw.gateway", "com.clawdbot.gateway", "com.steipete.clawdbot.gateway"],
  };
}

export const describeService = ({ profile }: Pick<ServiceNames, "profile">, version: string): string =>
  profile ? `OpenClaw Gateway (profile: ${profile}, v${version})` : `OpenClaw Gateway (v${version})`;
