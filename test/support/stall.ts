/** A client that stops reading. What the kernel still takes for it is filled with answers first, which are never dropped, so
 *  that the next event already waits in the gateway's own queue. */
import type { WebSocket } from "ws";

/** More than the buffers of a loopback connection hold, less than the answers one socket may owe. */
const enoughBytes = 16 * 1_048_576;

/** Stops reading and asks for `method` until its answers, `answerBytes` each, fill the way. */
export function stall(socket: WebSocket, method: string, answerBytes: number, fillBytes = enoughBytes): void {
  socket.pause();
  const calls = Math.ceil(fillBytes / answerBytes);
  for (let call = 0; call < calls; call++)
    socket.send(JSON.stringify({ type: "req", id: `fill-${call}`, method, params: {} }));
}

interface Numbered {
  type: string;
  seq?: number;
}

/** Numbers of the events a client got, in order. */
export const numbersOf = (frames: readonly Numbered[]): number[] =>
  frames.flatMap((frame) => (frame.type === "event" && frame.seq !== undefined ? [frame.seq] : []));

/** How many numbers are missing between the first and the last; -1 when they are not in order. */
export function holesOf(frames: readonly Numbered[]): number {
  const numbers = numbersOf(frames);
  if (numbers.some((number, at) => at > 0 && number <= (numbers[at - 1] ?? 0))) return -1;
  return numbers.length === 0 ? 0 : (numbers.at(-1) ?? 0) - (numbers[0] ?? 0) + 1 - numbers.length;
}
