/** What of a run was sent while it was being written, so that its end sends only the rest (agent.md §13.1). In memory: a run that
 *  said something is not repeated after a crash. */

export interface StreamedMessage {
  /** As people see it, so far. */
  text: string;
  /** Of it, handed to the store. */
  queued: number;
  /** Of it, in the outbox. */
  sent: number;
  /** Line of the code fence that has to be opened again before the rest. */
  reopen: string | undefined;
  /** Nothing more of it leaves before the end. */
  held: boolean;
}

export class Streamed {
  readonly #byRun = new Map<string, StreamedMessage[]>();

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

  forget(runId: string): void {
    this.#byRun.delete(runId);
  }
}
