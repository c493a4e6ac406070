/** The fake as a process of its own, seen from a test. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { FakeWhatsApp, Faults, Ledger, Phone, StartOptions } from "./api.ts";

/** What `main.ts` prints first. */
export type Address = Pick<FakeWhatsApp, "url" | "port" | "controlUrl" | "mediaUrl" | "certKey" | "ca" | "caFile">;

const waitMs = 10_000;
const lookEveryMs = 20;

/** A fake that runs elsewhere. `close` ends nothing but this view of it. */
export function connect(address: Address): FakeWhatsApp {
  const call = async (name: string, args: unknown[]): Promise<unknown> => {
    const response = await fetch(address.controlUrl, { method: "POST", body: JSON.stringify({ call: name, args }) });
    const answer = (await response.json()) as { result?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result;
  };
  const group = (name: string): unknown =>
    new Proxy(
      {},
      {
        get: (_, method) =>
          typeof method === "string" ? (...args: unknown[]) => call(`${name}.${method}`, args) : undefined,
      },
    );
  const ledger = async () => (await call("ledger", [])) as Ledger;
  return {
    ...address,
    phone: group("phone") as Phone,
    faults: group("faults") as Faults,
    ledger,
    until: async (check, what, timeoutMs = waitMs) => {
      const endsAt = performance.now() + timeoutMs;
      for (;;) {
        const lookedAt = performance.now();
        const found = check(await ledger());
        if (found !== undefined && found !== false) return found;
        const now = performance.now();
        if (now > endsAt) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
        // A long ledger takes long to copy: half of the time is left to the fake's real work.
        await new Promise((resolve) => setTimeout(resolve, Math.max(lookEveryMs, now - lookedAt)));
      }
    },
    close: async () => {},
  };
}

/** Starts `main.ts` and resolves when it listens. `close` ends the process. */
export async function startChild(options: Omit<StartOptions, "folder"> = {}): Promise<FakeWhatsApp> {
  const args = Object.entries(options).map(([name, value]) => `--${name}=${String(value)}`);
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const first = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The fake ended with code ${code} before it listened.`)));
  });
  return {
    ...connect(JSON.parse(first) as Address),
    // Its standard input is its life line: it also ends when this process is killed.
    close: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
