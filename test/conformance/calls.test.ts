/** Cases 39-46, 71, 73, 76, 77: requests after hello-ok. */
import { expect } from "vitest";
import { existsSync, readdirSync } from "node:fs";
import { assertEnvelope, conformance, refused } from "./suite.ts";

const backend = { id: "gateway-client", mode: "backend" };

conformance("calls", {}, ({ blackBox, harness }) => {
  blackBox("case 39 (settled): malformed JSON after hello closes with 1008, nothing answered", async (target) => {
    const wire = await target.connect();
    await wire.settled();
    const before = wire.frames.filter((frame) => frame.type === "res").length;
    wire.sendText("{bad");
    expect(await wire.closed).toEqual({ code: 1008, reason: "invalid JSON" });
    expect(wire.frames.filter((frame) => frame.type === "res")).toHaveLength(before);
  });

  blackBox("case 40: what is JSON but no request frame is answered with an error, the socket stays", async (target) => {
    const wire = await target.connect();
    const ask = (text: string, id: string) => {
      const from = wire.frames.length;
      const answer = wire.wait((frame) => frame.type === "res" && frame.id === id, from);
      wire.sendText(text);
      return answer;
    };
    for (const [text, id] of [
      ['{"type":"req","id":"a1","method":"health","zzz":1}', "a1"],
      ['{"type":"event","event":"x"}', "invalid"],
      ["7", "invalid"],
      ["null", "invalid"],
    ] as const) {
      const error = refused(await ask(text, id));
      expect(error.code).toBe("INVALID_REQUEST");
      expect(error.message).toMatch(/^invalid request frame/u);
    }
    expect((await wire.request("health", {})).ok).toBe(true);
    await wire.close();
  });

  blackBox("case 41: an unknown method is named to an admin and hidden from others", async (target) => {
    const admin = await target.connect();
    expect(refused(await admin.request("nope.method"))).toMatchObject({
      code: "INVALID_REQUEST",
      message: "unknown method: nope.method",
    });
    const reader = await target.connect({ scopes: ["operator.read"], client: backend });
    expect(refused(await reader.request("nope.method")).message).toBe("missing scope: operator.admin");
    await Promise.all([admin.close(), reader.close()]);
  });

  blackBox("case 42: connect is only valid once", async (target) => {
    const wire = await target.connect();
    expect(refused(await wire.request("connect", {}))).toMatchObject({
      code: "INVALID_REQUEST",
      message: "connect is only valid as the first request",
    });
    expect((await wire.request("health", {})).ok).toBe(true);
    await wire.close();
  });

  blackBox("case 43: a reader reads, and is told which scope it lacks", async (target) => {
    const wire = await target.connect({ scopes: ["operator.read"], client: backend });
    for (const method of ["health", "sessions.list", "config.get"])
      expect((await wire.request(method, {})).ok, method).toBe(true);
    const chat = { sessionKey: "main", message: "x", idempotencyKey: "k43" };
    expect(refused(await wire.request("chat.send", chat)).message).toBe("missing scope: operator.write");
    expect(refused(await wire.request("config.set", { raw: "{}" })).message).toBe("missing scope: operator.admin");
    expect(refused(await wire.request("device.pair.list", {})).message).toBe("missing scope: operator.pairing");
    await wire.close();
  });

  blackBox("case 44: write grants read", async (target) => {
    const wire = await target.connect({ scopes: ["operator.write"], client: backend });
    expect((await wire.request("sessions.list", {})).ok).toBe(true);
    await wire.close();
  });

  blackBox("case 45: roles are separate", async (target) => {
    const operator = await target.connect();
    expect(refused(await operator.request("skills.bins", {})).message).toBe("unauthorized role: operator");
    const node = await target.connect({ role: "node", client: { id: "node-host", mode: "node" } });
    for (const method of ["status", "nope"])
      expect(refused(await node.request(method, {})).message).toBe("unauthorized role: node");
    expect(await node.call("skills.bins", {})).toMatchObject({ bins: expect.any(Array) });
    await Promise.all([operator.close(), node.close()]);
  });

  blackBox("case 46: protocol 4 without scopes gets FORBIDDEN with the missing scope", async (target) => {
    const wire = await target.connect({ min: 4, max: 4, scopes: [] });
    expect(refused(await wire.request("status", {}))).toMatchObject({
      code: "FORBIDDEN",
      message: "missing scope: operator.read",
      details: { code: "MISSING_SCOPE", missingScope: "operator.read", requiredScopes: ["operator.read"] },
    });
    await wire.close();
  });

  blackBox("unknown params are refused for protocol 3 and ignored for protocol 4", async (target) => {
    const old = await target.connect();
    expect(refused(await old.request("sessions.list", { zzz: 1 })).message).toBe(
      "invalid sessions.list params: at root: unexpected property 'zzz'",
    );
    const recent = await target.connect({ min: 4, max: 4, scopes: ["operator.read"] });
    expect((await recent.request("sessions.list", { zzz: 1, limit: 1 })).ok).toBe(true);
    await Promise.all([old.close(), recent.close()]);
  });

  blackBox("validation texts name path and rule", async (target) => {
    const wire = await target.connect();
    const message = async (method: string, params: unknown) => refused(await wire.request(method, params)).message;
    expect(await message("chat.history", { sessionKey: "main", limit: "x" })).toContain("at /limit: must be integer");
    expect(await message("chat.history", { sessionKey: "main", limit: 0 })).toContain("at /limit: must be >= 1");
    expect(await message("chat.history", { sessionKey: "" })).toContain(
      "at /sessionKey: must NOT have fewer than 1 characters",
    );
    expect(await message("agent", { message: "x" })).toContain("must have required property 'idempotencyKey'");
    await wire.close();
  });

  blackBox(
    "case 71: a system event with tags reaches the presence list, and a client that leaves is marked",
    async (target) => {
      const watcher = await target.connect();
      const from = watcher.frames.length;
      await watcher.call("system-event", {
        text: "Node: laptop",
        host: "laptop",
        tags: ["desk"],
        lastInputSeconds: 3,
        mode: "ui",
      });
      type Entry = { host?: string; tags?: string[]; lastInputSeconds?: number; reason?: string };
      const entries = (payload: Record<string, unknown>) => payload.presence as Entry[];
      const event = await watcher.event(
        "presence",
        (payload) => entries(payload).some((entry) => entry.host === "laptop"),
        from,
      );
      expect(event.stateVersion).toEqual({ presence: expect.any(Number), health: expect.any(Number) });
      expect(entries(event.payload ?? {}).find((entry) => entry.host === "laptop")).toMatchObject({
        tags: ["desk"],
        lastInputSeconds: 3,
      });

      const leaving = await target.connect({ client: { ...backend, displayName: "leaver", instanceId: "leaver-1" } });
      await leaving.close();
      const left = (payload: Record<string, unknown>) =>
        entries(payload).some((entry) => entry.host === "leaver" && entry.reason === "disconnect");
      const gone = await watcher.event("presence", left, from);
      expect(entries(gone.payload ?? {}).length).toBeGreaterThan(1);
      await watcher.close();
    },
  );

  blackBox("case 73: every frame of a whole session has a legal v3 envelope", async (target) => {
    const wire = await target.connect({ caps: ["tool-events"], client: { ...backend, instanceId: "all-frames" } });
    for (const method of [
      "health",
      "status",
      "system-presence",
      "sessions.list",
      "models.list",
      "agents.list",
      "node.list",
      "cron.list",
      "channels.status",
      "config.get",
      "logs.tail",
      "device.pair.list",
      "skills.status",
      "nope",
    ]) {
      await wire.request(method, {});
    }
    await wire.final("agent", { message: "tool: session_status {}", sessionKey: "case73", idempotencyKey: "case-73" });
    await wire.call("system-event", { text: "note" });
    await wire.settled();
    for (const frame of wire.frames) assertEnvelope(frame);
    expect(wire.frames.length).toBeGreaterThan(20);
    await wire.close();
  });

  blackBox("case 76: hostile keys, deep nesting, lone surrogates and a huge id harm nobody", async (target) => {
    const wire = await target.connect();
    const answered = async (text: string, id: string) => {
      const answer = wire.wait((frame) => frame.type === "res" && frame.id === id, wire.frames.length);
      wire.sendText(text);
      return answer;
    };
    await answered('{"type":"req","id":"p1","method":"sessions.list","params":{"__proto__":{"polluted":true}}}', "p1");
    await answered(
      '{"type":"req","id":"p2","method":"sessions.list","params":{"constructor":{"prototype":{"polluted":true}}}}',
      "p2",
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    for (const key of ["__proto__", "constructor", "prototype"]) {
      await wire.request("chat.history", { sessionKey: key });
      await wire.request("sessions.patch", { key, label: "x" });
    }
    await answered(
      `{"type":"req","id":"p3","method":"status","params":{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}}`,
      "p3",
    );
    expect((await wire.request("chat.history", { sessionKey: "\ud800" })).type).toBe("res");
    const id = "i".repeat(1_048_576);
    expect((await answered(JSON.stringify({ type: "req", id, method: "nope" }), id)).id).toBe(id);
    expect(await wire.call("health", {})).toMatchObject({ ok: true });
    await wire.close();
  });

  harness("case 77: path tricks in keys and ids never leave the state directory", async (gateway) => {
    const wire = await gateway.connect();
    const before = readdirSync(gateway.home.path).toSorted();
    for (const key of ["../../x", "agent:main:../../x", "agent:../x:main", "a/../../b", "a\u0000b", "..\\..\\x"]) {
      expect(
        refused(await wire.request("chat.send", { sessionKey: key, message: "x", idempotencyKey: `k77${key}` })).code,
      ).toBe("INVALID_REQUEST");
    }
    for (const agentId of ["../x", "a/b", "a\\b"]) {
      expect(
        refused(await wire.request("agent", { message: "x", agentId, idempotencyKey: `a77${agentId}` })).code,
      ).toBe("INVALID_REQUEST");
    }
    expect(readdirSync(gateway.home.path).toSorted()).toEqual(before);
    expect(existsSync("/x")).toBe(false);
    await wire.close();
  });
});
