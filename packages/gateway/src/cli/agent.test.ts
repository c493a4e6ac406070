import type { Peer, Request } from "../../../client/src/fake-gateway.ts";
import { describe, expect, test } from "vitest";
import { at, cliArgs, gateway, withHome } from "./fake-terminal.ts";

withHome();

describe("agent", () => {
  const final = (text: string, extra = {}) => ({
    runId: "k",
    status: "ok",
    summary: "completed",
    result: { payloads: [{ text, mediaUrl: null, ...extra }], meta: {} },
  });
  const says = (texts: readonly string[], answer: unknown) => (request: Request, peer: Peer) => {
    if (request.method !== "agent") return;
    const runId = request.params.idempotencyKey;
    peer.answer(request, { runId, status: "accepted", acceptedAt: 1 });
    texts.forEach((text, i) => {
      peer.event(
        "agent",
        { runId, stream: "assistant", data: { text, delta: "" }, sessionKey: "agent:main:main", seq: i + 1, ts: 1 },
        i + 1,
      );
    });
    peer.event("agent", { runId: "other", stream: "assistant", data: { text: "not mine" }, seq: 1, ts: 1 }, 50);
    peer.answer(request, answer);
  };
  const ask = ["agent", "--agent", "main", "--message", "hi"];

  test("prints the final text, and media as MEDIA lines, when stdout is no terminal", async () => {
    const fake = await gateway(says(["He", "Hello"], final("Hello", { mediaUrls: ["/tmp/a.png"] })));
    const { code, out, err } = await cliArgs(ask, { env: at(fake) });
    expect([code, out, err]).toEqual([0, "Hello\nMEDIA:/tmp/a.png\n", ""]);
    expect(fake.peers[0]?.requests[1]?.params).toEqual({
      message: "hi",
      agentId: "main",
      timeout: 600,
      idempotencyKey: "00000000-0000-4000-8000-000000000001",
    });
  });

  test("streams on a terminal and does not repeat itself", async () => {
    const fake = await gateway(says(["He", "Hello", "Let me look", "Let me look. Done"], final("Let me look. Done")));
    const { out } = await cliArgs(ask, { env: at(fake), tty: true });
    expect(out).toBe("Hello\nLet me look. Done\n");
  });

  test("control sequences from a model never reach the terminal, cut in two or not", async () => {
    const evil = "a\u001b[31mb\u001b]0;title\u0007c\u009b2Jd\u001b]8;;http://x\u001b\\e\r\n\u0008f";
    const fake = await gateway(says(["a\u001b[3", evil], final(evil)));
    for (const tty of [true, false]) {
      const { out } = await cliArgs(ask, { env: at(fake), tty });
      expect(out).toBe("abcde\nf\n");
    }
    const { out } = await cliArgs([...ask, "--json"], { env: at(fake) });
    expect(out).not.toMatch(/[\u001b\u0080-\u009f]/);
  });

  test("an empty reply and a failed run are told", async () => {
    const empty = await gateway(says([], { status: "ok", result: { payloads: [] } }));
    expect(await cliArgs(ask, { env: at(empty) })).toMatchObject({ code: 0, out: "No reply from agent.\n" });
    const failing = await gateway((request, peer) => {
      if (request.method === "agent")
        peer.refuse(request, { code: "UNAVAILABLE", message: "provider is down" }, { status: "error" });
    });
    expect(await cliArgs(ask, { env: at(failing) })).toMatchObject({
      code: 1,
      out: "",
      err: "Error: provider is down\n",
    });
  });

  test("an unknown agent names the command that lists them", async () => {
    const fake = await gateway((request, peer) => {
      if (request.method === "agent")
        peer.refuse(request, { code: "INVALID_REQUEST", message: 'invalid agent params: unknown agent id "zz"' });
    });
    const { err } = await cliArgs(["agent", "--agent", "zz", "--message", "hi"], { env: at(fake) });
    expect(err).toMatch(/openclaw agents list/);
  });

  test("Ctrl-C aborts the run of its session and exits 130", async () => {
    let interrupt = () => {};
    const fake = await gateway((request, peer) => {
      const runId = request.params.idempotencyKey;
      if (request.method === "agent") {
        peer.answer(request, { runId, status: "accepted" });
        peer.event(
          "agent",
          { runId, stream: "lifecycle", data: { phase: "start" }, sessionKey: "agent:main:x", seq: 1, ts: 1 },
          1,
        );
        peer.event(
          "agent",
          { runId, stream: "assistant", data: { text: "on it" }, sessionKey: "agent:main:x", seq: 2, ts: 1 },
          2,
        );
        peer.answer({ id: "none", method: "", params: {} }, {});
        setImmediate(() => interrupt());
      }
      if (request.method === "chat.abort") peer.answer(request, { ok: true, aborted: true, runIds: [runId] });
    });
    const { code } = await cliArgs(ask, { env: at(fake), tty: true, onReady: (run) => (interrupt = run) });
    expect(code).toBe(130);
    const abort = fake.peers[0]?.requests.find((request) => request.method === "chat.abort");
    expect(abort?.params).toMatchObject({ runId: "00000000-0000-4000-8000-000000000001" });
  });
});
