/** A real gateway inside the test process: real store, real sockets, port 0, a home of its own, a clock that can jump. */
import { Host } from "../../packages/gateway/src/assembly/host.ts";
import type { LaunchFlags } from "../../packages/gateway/src/assembly/startup-checks.ts";
import type { Sink } from "../../packages/gateway/src/kernel/log.ts";
import type { World } from "../../packages/gateway/src/kernel/world.ts";
import { jumpWorld, type JumpWorld } from "./jump-world.ts";
import { makeHome, token, type Home } from "./process.ts";
import { Wire, type ConnectOptions } from "./wire.ts";

export interface GatewayOptions {
  config?: Record<string, unknown>;
  env?: Record<string, string>;
  world?: Partial<World>;
  /** Reuse a home (a second generation on the same state). */
  home?: Home;
  /** Launch flags instead of port 0: then the port of the config counts. */
  flags?: LaunchFlags;
}

export interface TestGateway {
  readonly host: Host;
  readonly home: Home;
  readonly world: JumpWorld;
  readonly port: number;
  readonly url: string;
  readonly httpUrl: string;
  readonly token: string;
  /** Log lines so far: `level subsystem message`. */
  readonly log: string[];
  connect(
    options?: ConnectOptions,
    socket?: { headers?: Record<string, string>; origin?: string },
  ): Promise<Wire & { hello: Record<string, unknown> }>;
  /** Stops the gateway and removes its home unless it was given. */
  stop(): Promise<void>;
}

export async function openGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const home = options.home ?? makeHome(options.config, options.env);
  const world = jumpWorld({ ...home.env, ...options.env }, { tmpdir: () => home.path, ...options.world });
  const log: string[] = [];
  const remember: Sink = (line) => {
    log.push(`${line.level} ${line.subsystem} ${line.message}`);
    if (log.length > 5_000) log.shift();
  };
  const host = await Host.start({
    world,
    flags: options.flags ?? { port: 0 },
    version: "test",
    verbose: true,
    sinks: [remember],
  });
  const { port } = host.listener;
  const url = `ws://127.0.0.1:${port}`;
  return {
    host,
    home,
    world,
    port,
    url,
    httpUrl: `http://127.0.0.1:${port}`,
    token,
    log,
    connect: (connect = {}, socket = {}) => Wire.connect(url, { token, ...connect }, socket),
    async stop() {
      await host.stop();
      if (!options.home) home.remove();
    },
  };
}

/** Runs `body` against a fresh gateway and stops it whatever happens. */
export async function withGateway<T>(
  body: (gateway: TestGateway) => Promise<T>,
  options: GatewayOptions = {},
): Promise<T> {
  const gateway = await openGateway(options);
  try {
    return await body(gateway);
  } finally {
    await gateway.stop();
  }
}
