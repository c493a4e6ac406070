/** Lends a real gateway the methods it does not offer yet, on the wire between it and a page: `hello-ok` names them, calls to
 *  them are answered by a script, events are pushed among the gateway's own. What the page sends is judged by the contract's
 *  validators, and so is what the script answers, so that both sides speak the real wire. */
import { loadAnswerValidators, paramsValidators, type ValidateFunction } from "@openclaw/protocol/validators";
import type { Page } from "playwright-core";

export class Refused extends Error {
  readonly code: string;

  constructor(message: string, code = "INVALID_REQUEST") {
    super(message);
    this.code = code;
  }
}

/** Throws `Refused` for an error answer. */
export type Answer = (params: Record<string, unknown>) => unknown;

interface Frame {
  type: string;
  id?: string;
  method?: string;
  event?: string;
  seq?: number;
  params?: Record<string, unknown>;
  payload?: { features?: { methods: string[] } } | undefined;
}

export interface Lender {
  /** Every call of a lent method, in order. */
  readonly calls: { method: string; params: Record<string, unknown> }[];
  /** Params, answers and events that break the contract. */
  readonly faults: string[];
  push(event: string, payload: unknown): void;
}

/** Before the page is opened. `methods` may be changed while it runs; what is in it at a hello is what is offered then. */
export async function lendMethods(page: Page, methods: Record<string, Answer>): Promise<Lender> {
  const answers = await loadAnswerValidators();
  const calls: Lender["calls"] = [];
  const faults: string[] = [];
  let push: Lender["push"] = () => {};
  const judge = (what: string, validate: ValidateFunction | undefined, value: unknown) => {
    if (validate && !validate(value)) faults.push(`${what}: ${JSON.stringify(validate.errors)}`);
  };
  await page.routeWebSocket(/^ws:/, (socket) => {
    const server = socket.connectToServer();
    let seq = 0;
    // The gateway's own count, with what is pushed in between.
    const send = (frame: Frame) => {
      seq += 1;
      socket.send(JSON.stringify({ ...frame, seq }));
    };
    push = (event, payload) => {
      judge(`event ${event}`, answers.eventValidators[event], payload);
      send({ type: "event", event, payload: payload as Frame["payload"] });
    };
    server.onMessage((text) => {
      const frame = JSON.parse(String(text)) as Frame;
      if (frame.type === "event" && frame.seq !== undefined) return send(frame);
      const features = frame.payload?.features;
      if (features) features.methods = [...new Set([...features.methods, ...Object.keys(methods)])];
      socket.send(features ? JSON.stringify(frame) : text);
    });
    socket.onMessage((text) => {
      const frame = JSON.parse(String(text)) as Frame;
      const { id, method = "", params = {} } = frame;
      const answer = frame.type === "req" ? methods[method] : undefined;
      if (!answer) return server.send(text);
      calls.push({ method, params });
      judge(`params of ${method}`, paramsValidators[method], params);
      void (async () => {
        try {
          const payload = await answer(params);
          judge(`answer of ${method}`, answers.resultValidators[method], payload);
          socket.send(JSON.stringify({ type: "res", id, ok: true, payload }));
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          const { code, message } = error;
          socket.send(JSON.stringify({ type: "res", id, ok: false, error: { code, message } }));
        }
      })();
    });
  });
  return { calls, faults, push: (name, payload) => push(name, payload) };
}
