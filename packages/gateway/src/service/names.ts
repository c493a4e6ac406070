/** What the service is called on each platform (lifecycle.md §9.1), and what it was called before. Pure. */
import type { World } from "../kernel/world.ts";
import { ServiceError } from "./types.ts";

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

/** They become names of files and words of a manager. */
const forms = {
  OPENCLAW_PROFILE: /^[A-Za-z0-9_-]{1,64}$/u,
  OPENCLAW_SYSTEMD_UNIT: /^[A-Za-z0-9:_.@-]{1,200}$/u,
  OPENCLAW_LAUNCHD_LABEL: /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/u,
  OPENCLAW_WINDOWS_TASK_NAME: /^[^\u0000-\u001f"/:*?<>|]{1,200}$/u,
} as const;

/** The variables of lifecycle.md §2.4 win over the names made from the profile. Throws ServiceError for one that no service can be
 *  called by. */
export function serviceNames(env: World["env"]): ServiceNames {
  for (const [name, form] of Object.entries(forms)) {
    const value = env[name];
    if (!value || form.test(value)) continue;
    throw new ServiceError({
      code: "bad-value",
      message: `${name} is ${JSON.stringify(value.slice(0, 80))}, which cannot be the name of a service.`,
      hints: [`Use letters, digits, "_" and "-".`],
    });
  }
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
