/** What this command and the running gateway see differently (R-CLI-3): usually a profile or a variable that only one has. */
import { VERSION } from "../kernel/version.ts";
import type { LastKnown } from "./last-known.ts";
import type { Probe } from "./probe.ts";
import { record, textOf } from "./rpc.ts";
import type { Target } from "./target.ts";

export interface Difference {
  what: "config path" | "state dir" | "version" | "port";
  cli: string;
  gateway: string;
}

/** Compared with the answer of a gateway on this machine, or with what it last wrote while it does not answer. */
export function differences(target: Target, result: Probe, known: LastKnown | undefined): Difference[] {
  const { config } = target;
  const { hello, answers } = result;
  const seen: [Difference["what"], string, string | undefined][] = [];
  if (hello) {
    const { configPath, stateDir } = hello.snapshot;
    const { version } = hello.server;
    if (target.local) {
      seen.push(
        ["config path", config.path, configPath ?? textOf(record(answers.status).configPath)],
        ["state dir", config.stateDir, stateDir],
      );
    }
    seen.push(["version", VERSION, version]);
  } else if (known && target.local) {
    const port = known.port === null ? undefined : String(known.port);
    seen.push(
      ["config path", config.path, known.configPath],
      ["port", String(config.port), port],
      ["version", VERSION, known.version],
    );
  }
  return seen.flatMap(([what, cli, gateway]) => (gateway && gateway !== cli ? [{ what, cli, gateway }] : []));
}

export const describeDifference = ({ what, cli, gateway }: Difference, show: (path: string) => string): string =>
  `${what} differs: this command ${show(cli)}, the gateway ${show(gateway)}`;
