/** What of a run was sent while it was being written, so that its end sends only the rest (agent.md §13.1). In memory: a run that
 *  said something is not repeated after a crash. */

export interface StreamedMessage {
  /** As people see it, so far. */
  text: string;
  /** Of it, handed to the store. */
  queued: number;
  /** Of it, in the outbox. */
  sent: number;
  /** Line of the code fence that has to be opened again before what is not in the outbox. */
  reopen: string | undefined;
  /** The same before what is not handed to the store. */
  reopenQueued: string | undefined;
  /** Nothing more of it leaves before the end. */
  held: boolean;
}

export class Streamed {
  readonly #byRun = new Map<string, StreamedMessage[]>();
  readonly #settling = new Map<string, () => Promise<void>>();

  /** The messages of a run, oldest first; the caller fills them. */
  of(runId: string): StreamedMessage[] {
    const messages = this.#byRun.get(runId) ?? [];
    this.#byRun.set(runId, messages);
    return messages;
  }

  began(runId: string): boolean {
    return this.#byRun.get(runId)?.some(({ sent }) => sent > 0) ?? false;
  }

  /** What is left of a finished text; undefined when nothing of it was sent. */
  rest(runId: string, text: string): string | undefined {
    const message = this.#byRun.get(runId)?.find((one) => one.sent > 0 && one.text === text);
    if (!message) return undefined;
    const left = text.slice(message.sent);
    return left.trim() === "" ? "" : `${message.reopen === undefined ? "" : `${message.reopen}\n`}${left}`;
  }

  /** `settled` resolves when all that was said so far has left, and the rest may follow. */
  settlesBy(runId: string, settled: () => Promise<void>): void {
    this.#settling.set(runId, settled);
  }

  /** Resolves when the end of a run may say the rest. */
  async settled(runId: string): Promise<void> {
    await this.#settling.get(runId)?.();
  }

  forget(runId: string): void {
    this.#byRun.delete(runId);
    this.#settling.delete(runId);
  }
}
