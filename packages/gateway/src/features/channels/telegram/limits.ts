/** Waits and deadlines of one Telegram account, ms. Tests shrink them. */
export const telegramLimits = {
  /** What a poll asks the platform to wait for. */
  pollWaitMs: 30_000,
  /** Silence after which a poll is given up: its wait and this (channels.md §7.2). */
  pollMarginMs: 15_000,
  /** Between a poll that was cut off here and the next: the platform must see the end of the first. */
  repollMs: 500,
  /** getMe and deleteWebhook at the start, and small calls later. */
  startMs: 10_000,
  /** One message. */
  sendMs: 45_000,
  /** One message with a file; the contract allows 60 s. */
  uploadMs: 58_000,
  /** A file that came in. */
  downloadMs: 120_000,
  /** Age at which the platform may have begun its ids anew (channels.md §7.2, trap 2). */
  cursorMaxAgeMs: 6 * 24 * 3_600_000,
  /** A chat that forbids "is typing" is left alone that long. */
  typingBreakMs: 10 * 60_000,
};

export type TelegramLimits = typeof telegramLimits;
