/** A tap on the page's sockets: everything passes, is remembered, and may be changed or added to on the way. */
import type { Page } from "playwright-core";
import type { WireFrame } from "../support/wire.ts";

export interface Asked {
  id: string;
  method: string;
  params: Record<string, unknown>;
}

export interface Tap {
  /** What the page asked for, over all its sockets, in order. */
  readonly asked: Asked[];
  /** What the gateway said, before it was changed. */
  readonly said: WireFrame[];
  /** Sockets opened so far. */
  readonly sockets: number;
  /** Says something to the page as if the gateway had. */
  push(frame: Partial<WireFrame>): void;
  /** Ends the present socket as a broken network does. */
  cut(): void;
}

export interface TapOptions {
  /** Changes a frame of the gateway before the page gets it. */
  change?: (frame: WireFrame) => WireFrame;
  /** Answers in place of the gateway; undefined leaves the request to it. */
  answer?: (request: Asked) => Record<string, unknown> | undefined;
}

/** Must be laid before the page opens its first socket. */
export async function tap(page: Page, { change = (frame) => frame, answer }: TapOptions = {}): Promise<Tap> {
  const asked: Asked[] = [];
  const said: WireFrame[] = [];
  let sockets = 0;
  let push = (_text: string): void => {
    throw new Error("no socket was opened yet");
  };
  let cut = (): void => {};
  await page.routeWebSocket(/.*/, (socket) => {
    sockets += 1;
    const server = socket.connectToServer();
    push = (text) => socket.send(text);
    cut = () => void socket.close({ code: 3001 });
    socket.onMessage((text) => {
      const request = JSON.parse(String(text)) as Asked;
      asked.push(request);
      const payload = answer?.(request);
      if (payload === undefined) server.send(text);
      else socket.send(JSON.stringify({ type: "res", id: request.id, ok: true, payload }));
    });
    server.onMessage((text) => {
      const frame = JSON.parse(String(text)) as WireFrame;
      said.push(frame);
      socket.send(JSON.stringify(change(frame)));
    });
  });
  return {
    asked,
    said,
    get sockets() {
      return sockets;
    },
    push: (frame) => push(JSON.stringify({ type: "event", ...frame })),
    cut: () => cut(),
  };
}

/** How often the page asked for a method. */
export const times = (tapped: Tap, method: string): number =>
  tapped.asked.filter((request) => request.method === method).length;
