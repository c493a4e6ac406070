/** What is wrong with an account, told apart by what a person has to do about it (channels.md §1.1). Pure. */
import type { AccountFacts } from "./accounts/facts.ts";
import type { AccountSettings } from "./channel.ts";

export interface Issue {
  /** `intent`: it works, but not as its settings seem to mean. */
  kind: "intent" | "permissions" | "config" | "auth" | "runtime";
  message: string;
  /** The next step, as a command where there is one. */
  fix?: string;
}

const kinds: Readonly<Record<string, Issue["kind"]>> = {
  "bad-token": "auth",
  "logged-out": "auth",
  "not-linked": "auth",
  forbidden: "permissions",
};

/** Empty when all is well, or off on purpose. */
export function issuesOf(
  {
    state,
    lastError,
    fix,
    noted,
    reconnectAttempts,
  }: Pick<AccountFacts, "state" | "lastError" | "fix" | "noted" | "reconnectAttempts">,
  settings: AccountSettings | undefined,
): Issue[] {
  const message = lastError ?? state;
  const more = fix === undefined ? {} : { fix };
  if (state === "unconfigured") return [{ kind: "config", message, ...more }];
  if (state === "terminal") return [{ kind: kinds[String(noted["terminal"])] ?? "runtime", message, ...more }];
  // One lost connection is nothing to look after.
  if (state === "backoff" && reconnectAttempts > 1) return [{ kind: "runtime", message }];
  if (state === "open" && hearsNothing(noted, settings))
    return [
      {
        kind: "intent",
        message: "Groups are to be answered without a mention, but the bot hears only what is addressed to it.",
        fix: "Make it an administrator there, or switch its privacy off with @BotFather (/setprivacy) and add it again.",
      },
    ];
  return [];
}

/** A bot that only gets what is addressed to it, with a group that is to be answered whoever is addressed. */
function hearsNothing(noted: AccountFacts["noted"], settings: AccountSettings | undefined): boolean {
  const bot = noted["bot"] as { canReadAllGroupMessages?: boolean } | undefined;
  const groups = Object.values(settings?.access.groups ?? {});
  return bot?.canReadAllGroupMessages === false && groups.some(({ requireMention }) => requireMention === false);
}
