/** Judges one command from three sides: how it ended, what it printed, what the gateway wrote in its log meanwhile. */
import type { Case } from "./cases.ts";
import type { Client } from "./clients.ts";
import type { Outcome } from "./command.ts";

export interface Verdict {
  /** Empty when the command worked. */
  faults: string[];
  /** `client mode` of each connection, in order. */
  connections: string[];
}

/** A client that gets no answer may run the agent by itself and still end with 0. */
const ranWithoutGateway = /embedded|falling back|fallback/iu;

export function judge(client: Client, item: Case, outcome: Outcome, log: string): Verdict {
  const faults: string[] = [];
  if (outcome.exit !== 0) faults.push(`exit ${outcome.exit}`);
  if (!item.prints.test(outcome.output)) faults.push(`printed nothing like ${item.prints}`);
  if (item.methods.includes("agent") && ranWithoutGateway.test(outcome.output))
    faults.push("ran the agent without the gateway");

  const connected = [...log.matchAll(/connected conn=\S+ client=(\S+) mode=(\S+) version=(\S+) .*protocol=(\d)/gu)];
  if (connected.length === 0) faults.push("no connection in the gateway's log");
  for (const [, id, , version, protocol] of connected) {
    if (Number(protocol) !== client.protocol) faults.push(`${id} ${version} spoke protocol ${protocol}`);
  }
  for (const method of item.methods) {
    if (!log.includes(`res ✓ ${method} `)) faults.push(`the gateway answered no ${method}`);
  }
  for (const line of log.split("\n")) {
    if (/res ✗|unauthorized|handshake failed/u.test(line)) faults.push(line.replace(/^\S+ /u, "").slice(0, 160));
  }
  return { faults, connections: connected.map(([, id, mode]) => `${id} ${mode}`) };
}
