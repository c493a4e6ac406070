/** Rejections that WhatsApp's library lets escape where nobody can catch them: the answer of a query whose connection ended, a
 *  message that could not be decrypted (channels.md §1.2). Such a connection is not to be trusted; the process is. Pure. */

/** What its errors of the connection carry: timed out, closed, replaced, bad session, unavailable, restart wished. */
const statuses: ReadonlySet<unknown> = new Set([408, 428, 440, 500, 503, 515]);
const cryptoNames: ReadonlySet<unknown> = new Set([
  "SessionError",
  "MessageCounterError",
  "PreKeyError",
  "UntrustedIdentityKeyError",
]);

export function isWhatsAppEscape(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (cryptoNames.has(error.name) || error.message === "Bad MAC") return true;
  const { isBoom, output } = error as { isBoom?: unknown; output?: { statusCode?: unknown } };
  return isBoom === true && statuses.has(output?.statusCode);
}
