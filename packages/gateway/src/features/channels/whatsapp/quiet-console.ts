/** libsignal writes whole sessions, private keys included, to the console (channels.md §6.1). It has no setting against that, so its
 *  lines are taken out of the console of the process, from the first time the library is loaded. What anybody else writes passes
 *  unchanged. */

const lines: readonly RegExp[] = [
  /^Closing (?:open )?session/u,
  /^Closing stale open session/u,
  /^Opening session:/u,
  /^Removing old closed session:/u,
  /^Session already (?:closed|open)/u,
  /^Session error:/u,
  /^Failed to decrypt message with any known session/u,
  /^Decrypted message with closed session/u,
  /^Migrating session to:/u,
  /^V1 session storage migration error/u,
  /^Unhandled bucket type/u,
  /^WARNING: Expected pubkey of length 33/u,
];

const methods = ["log", "info", "warn", "error", "debug"] as const;
const marker = Symbol.for("openclaw.whatsapp.quietConsole");

export type Console = Pick<globalThis.Console, (typeof methods)[number]> & { [marker]?: true };

/** Idempotent. `told` hears of each line taken out, by its first words only. */
export function quietConsole(target: Console, told: (words: string) => void): void {
  if (target[marker]) return;
  target[marker] = true;
  for (const method of methods) {
    const write = target[method].bind(target);
    target[method] = (...values: unknown[]) => {
      const [first] = values;
      if (typeof first === "string" && lines.some((line) => line.test(first))) {
        return told(first.slice(0, 60).replace(/:.*$/su, ""));
      }
      write(...values);
    };
  }
}
