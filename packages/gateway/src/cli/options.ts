/** Options that several commands share (cli.md §1.4). */
import type { OptionSpec } from "./command.ts";

export const json: OptionSpec = { name: "json", text: "Print one JSON document on stdout" };
export const expectFinal: OptionSpec = { name: "expect-final", text: "Wait past an accepted answer for the final one" };

const url: OptionSpec = { name: "url", value: "url", text: "Gateway address, ws:// or wss://" };
const token: OptionSpec = {
  name: "token",
  value: "token",
  text: "Gateway token (visible to other users of this machine)",
};
const password: OptionSpec = {
  name: "password",
  value: "password",
  text: "Gateway password (visible to other users of this machine)",
};

const tlsFingerprint: OptionSpec = {
  name: "tls-fingerprint",
  value: "sha256",
  text: "Accept only this TLS certificate (SHA-256, hex)",
};

export const timeout = (fallback: string): OptionSpec => ({
  name: "timeout",
  value: "ms",
  text: "Give up after this many milliseconds",
  fallback,
});

export const target = (timeoutMs: string): readonly OptionSpec[] => [
  url,
  token,
  password,
  tlsFingerprint,
  timeout(timeoutMs),
];

/** RPC-A */
export const rpc: readonly OptionSpec[] = [...target("10000"), expectFinal, json];
/** RPC-A without `--expect-final` */
export const rpcPlain: readonly OptionSpec[] = [...target("10000"), json];
/** RPC-B */
export const rpcSlow: readonly OptionSpec[] = [...target("30000"), expectFinal];

export const verbose: OptionSpec = { name: "verbose", text: "Say more on stderr" };
export const debug: OptionSpec = { name: "debug", text: "Same as --verbose" };
