/** Conformance cases of protocol.md §17. A `blackBox` case needs an address and a token and may run against any gateway
 *  (`npm run conformance -- --url … --token …`); a `harness` case also controls clock, provider or config of its own gateway. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGateway, type GatewayOptions, type TestGateway } from "../support/gateway.ts";
import { Wire, type ConnectOptions, type WireFrame } from "../support/wire.ts";

const external = process.env.CONFORMANCE_URL
  ? { url: process.env.CONFORMANCE_URL, token: process.env.CONFORMANCE_TOKEN ?? "" }
  : undefined;

export interface Target {
  url: string;
  token: string;
  connect(
    options?: ConnectOptions,
    socket?: { headers?: Record<string, string>; origin?: string },
  ): Promise<Wire & { hello: Record<string, unknown> }>;
}

export interface Cases {
  blackBox(title: string, body: (target: Target) => Promise<void>): void;
  harness(title: string, body: (gateway: TestGateway) => Promise<void>): void;
}

export function conformance(
  name: string,
  options: GatewayOptions | (() => Promise<GatewayOptions>),
  define: (cases: Cases) => void,
): void {
  describe(name, () => {
    let gateway: TestGateway | undefined;
    const target: Target = {
      get url() {
        return external?.url ?? opened().url;
      },
      get token() {
        return external?.token ?? opened().token;
      },
      connect: (connect = {}, socket = {}) => Wire.connect(target.url, { token: target.token, ...connect }, socket),
    };
    const opened = (): TestGateway => {
      if (!gateway) throw new Error("the gateway of this suite is not open");
      return gateway;
    };
    beforeAll(async () => {
      if (!external) gateway = await openGateway(typeof options === "function" ? await options() : options);
    });
    afterAll(async () => {
      await gateway?.stop();
    });
    define({
      blackBox: (title, body) => void test(title, () => body(target)),
      harness: (title, body) => {
        if (!external) test(title, () => body(opened()));
      },
    });
  });
}

/** The error of a refused request. */
export function refused(frame: WireFrame): { code: string; message: string; details?: Record<string, unknown> } {
  expect(frame.ok).toBe(false);
  if (!frame.error) throw new Error("a refusal without error");
  return frame.error;
}

/** Keys that a v3 client accepts in an envelope (protocol.md §9.1); anything else makes it drop the frame. */
const allowed = {
  res: new Set(["type", "id", "ok", "payload", "error"]),
  event: new Set(["type", "event", "payload", "seq", "stateVersion"]),
  error: new Set(["code", "message", "details", "retryable", "retryAfterMs"]),
};

/** Throws when a frame breaks the closed v3 envelope schema. */
export function assertEnvelope(frame: WireFrame): void {
  if (frame.type !== "res" && frame.type !== "event") throw new Error(`frame type ${frame.type}`);
  for (const key of Object.keys(frame))
    if (!allowed[frame.type].has(key)) throw new Error(`key ${key} in a ${frame.type} frame`);
  for (const key of Object.keys(frame.error ?? {}))
    if (!allowed.error.has(key)) throw new Error(`key ${key} in an error`);
  if (frame.type === "res" && (!frame.id || typeof frame.ok !== "boolean"))
    throw new Error("a response without id or ok");
  if (frame.type === "event" && !frame.event) throw new Error("an event without name");
  if (frame.seq !== undefined && (!Number.isInteger(frame.seq) || frame.seq < 0)) throw new Error(`seq ${frame.seq}`);
  const version = frame.stateVersion;
  if (version && !(Number.isInteger(version.presence) && Number.isInteger(version.health)))
    throw new Error("stateVersion is incomplete");
}

/** Sequence numbers of broadcast frames in order of arrival. */
export const sequence = (frames: readonly WireFrame[]): number[] =>
  frames.flatMap((frame) => (frame.type === "event" && frame.seq !== undefined ? [frame.seq] : []));
