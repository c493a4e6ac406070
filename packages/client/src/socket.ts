/** The transport under a connection: text frames in and out, one close. `webSocket` is the browser's (and Node's built-in)
 *  one; `@openclaw/client/node` offers a lighter one for Node. */

export interface SocketEvents {
  open(): void;
  message(text: string): void;
  /** Exactly once, also when the socket never opened. `error` says why when the transport knows. */
  close(code: number, reason: string, error?: Error): void;
}

export interface Socket {
  /** Bytes accepted but not yet written. */
  readonly bufferedBytes: number;
  send(text: string): void;
  /** Starts the closing handshake; `close` of the events follows. Idempotent. */
  close(code: number, reason: string): void;
}

/** Must not throw: a bad address is reported by `events.close`, later. */
export type OpenSocket = (url: string, events: SocketEvents) => Socket;

export const webSocket: OpenSocket = (url, events) => {
  let socket: WebSocket;
  try {
    socket = new WebSocket(url);
  } catch (error) {
    queueMicrotask(() => events.close(1006, "", error instanceof Error ? error : new Error(String(error))));
    return { bufferedBytes: 0, send: () => {}, close: () => {} };
  }
  socket.binaryType = "arraybuffer";
  const decoder = new TextDecoder();
  socket.addEventListener("open", () => events.open());
  socket.addEventListener("message", ({ data }) => {
    events.message(typeof data === "string" ? data : decoder.decode(data as ArrayBuffer));
  });
  // `error` carries no facts in browsers and is always followed by `close`.
  socket.addEventListener("close", ({ code, reason }) => events.close(code, reason));
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send: (text) => socket.send(text),
    close(code, reason) {
      // Pages may send 1000 and 3000-4999 only; the others move up (1008 becomes 4008, as the Control UI says it).
      const allowed = code === 1000 || code >= 3000 ? code : 3000 + code;
      if (socket.readyState === socket.OPEN || socket.readyState === socket.CONNECTING) socket.close(allowed, reason);
    },
  };
};
