/** lifecycle.md §13.1: what a person is told to run reaches the gateway that told it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeWorld } from "../kernel/fake-world.ts";
import { checkContextWindow } from "../features/models/context-window.ts";
import { classify, connectionFailure } from "../features/models/failure.ts";
import { portHints } from "./doctor/listeners.ts";
import { StoreCorruptError, toGatewayError } from "../store/errors.ts";
import { openStateLock } from "../store/index.ts";
import { withOfflineStore } from "./offline-store.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "openclaw-suggestions-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const world = (profile: string) => fakeWorld({ env: { OPENCLAW_PROFILE: profile, OPENCLAW_STATE_DIR: home } });
const model = { ref: "one/m", id: "m", provider: "one", contextWindow: 1_000 } as Parameters<
  typeof checkContextWindow
>[0];
const damaged = Object.assign(new Error("malformed"), { errcode: 11 });

test.each([
  ["an unknown model", "models set", (w) => classify(model, "One", { status: 404 }, w).message],
  [
    "a local model server that is down",
    "models set",
    (w) => connectionFailure("One", "localhost:1", "ECONNREFUSED", w).message,
  ],
  ["a model that reads too little", "models set", (w) => JSON.stringify(checkContextWindow(model, w))],
  ["a damaged store at the start", "doctor", (w) => new StoreCorruptError("/s", damaged, w).message],
  ["a damaged store at run time", "doctor", (w) => (toGatewayError(damaged, w) as Error).message],
  [
    "a taken port",
    "gateway stop",
    (w) => portHints([{ pid: 1, user: "u", command: "openclaw-gateway", commandLine: "", address: "" }], w).join(),
  ],
] satisfies [string, string, (w: ReturnType<typeof world>) => string][])(
  "lifecycle 13.1: what %s suggests names the profile",
  (_what, words, said) => {
    expect(said(world("rescue"))).toContain(`openclaw --profile rescue ${words}`);
    expect(said(world("dev"))).toContain(`openclaw --dev ${words}`);
    expect(said(world(""))).toContain(`openclaw ${words}`);
  },
);

test("lifecycle 13.1: a command that needs the store names the gateway's profile when it is held", async () => {
  const lock = openStateLock(home);
  try {
    await expect(withOfflineStore(world("rescue"), () => Promise.resolve())).rejects.toThrow(
      "Stop it (openclaw --profile rescue gateway stop, or Ctrl-C where it runs)",
    );
  } finally {
    lock.release();
  }
});
