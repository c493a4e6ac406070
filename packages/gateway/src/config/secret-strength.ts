/** Why a token or password is easy to guess (reliability.md S6). A warning everywhere, never a refusal: what started yesterday
 *  starts today. */

/** Words everybody tries first. */
const known = /^(token|password|passwd|secret|changeme|admin|test|openclaw|letmein|qwerty|1234\d*)[\d!]*$/iu;
/** Characters a secret needs where others than this machine can try: a token is pasted, a password typed. */
const exposedChars = { token: 24, password: 12 } as const;
/** The same where only this machine can. */
const localChars = { token: 16, password: 12 } as const;

/** One sentence without the secret, or undefined when nothing is wrong with it. `exposed`: the gateway listens beyond loopback. */
export function secretWeakness(secret: string, kind: "token" | "password", exposed: boolean): string | undefined {
  if (known.test(secret)) return "It is a word everybody tries first.";
  const least = (exposed ? exposedChars : localChars)[kind];
  if (secret.length < least)
    return `It has ${secret.length} characters; ${least} are wanted${exposed ? " on this bind" : ""}.`;
  return new Set(secret).size < 6 ? "It repeats a few characters." : undefined;
}
