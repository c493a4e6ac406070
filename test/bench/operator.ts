/** What an operator types all day, over a Node that does nothing: config, status, logs and doctor, with the gateway up and down. */
import { median, type Row } from "./measure.ts";
import { wallMs } from "./commands.ts";
import { createHome, gatewayMain, startGateway } from "./processes.ts";

const overMs = 150;

export async function operator({ quick }: { quick: boolean }): Promise<Row[]> {
  const up = createHome();
  const down = createHome();
  const gateway = await startGateway(up);
  try {
    let seconds = 600;
    const cases = {
      bare: () => wallMs(up, ["-e", "0"]),
      "config get": () => wallMs(up, [gatewayMain, "config", "get", "gateway.mode"]),
      // Another value every time, so that it is written.
      "config set": () =>
        wallMs(up, [gatewayMain, "config", "set", "agents.defaults.timeoutSeconds", String(++seconds)]),
      status: () => wallMs(up, [gatewayMain, "status"], { OPENCLAW_GATEWAY_PORT: String(gateway.port) }),
      "status, gateway down": () => wallMs(down, [gatewayMain, "status"], { OPENCLAW_GATEWAY_PORT: "1" }),
      logs: () => wallMs(up, [gatewayMain, "logs"], { OPENCLAW_GATEWAY_PORT: String(gateway.port) }),
      doctor: () =>
        wallMs(up, [gatewayMain, "doctor", "--non-interactive"], { OPENCLAW_GATEWAY_PORT: String(gateway.port) }),
    };
    const names = Object.keys(cases) as (keyof typeof cases)[];
    const taken = new Map<string, number[]>(names.map((name) => [name, []]));
    // Interleaved, so that a busy moment of the machine hits all alike.
    for (let round = 0; round < (quick ? 7 : 25); round++)
      for (const name of names) taken.get(name)?.push(cases[name]());
    const of = (name: string) => median(taken.get(name) ?? []);
    const bare = of("bare");
    return names
      .filter((name) => name !== "bare")
      .map((name) => ({
        metric: name.includes(",") ? `\`openclaw ${name.replace(",", "`,")}` : `\`openclaw ${name}\``,
        gateway: of(name),
        floor: bare,
        unit: "ms",
        budget: { text: `bare node + ${overMs} ms`, met: of(name) <= bare + overMs },
      }));
  } finally {
    await gateway.stop();
    up.remove();
    down.remove();
  }
}
