/** The macOS app (protocol.md §3.3, §14.2): one operator connection in mode `ui`, and a node role of the same device. Its frames
 *  were never recorded; the shapes below follow the documented schema. */
import { expect } from "vitest";
import { connectParams, makeDevice, Wire, type Device } from "../support/wire.ts";
import { conformance, refused, type Target } from "./suite.ts";

const client = {
  id: "openclaw-macos",
  displayName: "Ada's MacBook",
  version: "2026.2.9",
  platform: "macos 15.2.0",
  deviceFamily: "Mac",
  modelIdentifier: "Mac16,8",
  mode: "ui",
  instanceId: "5b0c6a52-7f0e-4a55-9a10-0d6f2f3f9b01",
};
const scopes = ["operator.admin", "operator.approvals", "operator.pairing"];

const asOperator = (target: Target, device: Device) => ({
  token: target.token,
  device,
  role: "operator",
  scopes,
  client,
  extra: { locale: "en_GB", userAgent: "OpenClaw/2026.2.9 (macOS 15.2.0)" },
});
const asNode = (target: Target, device: Device) => ({
  token: target.token,
  device,
  role: "node",
  scopes: [],
  client: { ...client, mode: "node" },
  caps: ["canvas", "camera", "screen", "system"],
  extra: {
    commands: ["canvas.present", "canvas.hide", "camera.snap", "screen.record", "system.run", "system.notify"],
    permissions: { accessibility: true, screenRecording: false },
    pathEnv: "/opt/homebrew/bin:/usr/bin:/bin",
  },
});

interface Presence {
  instanceId?: string;
  host?: string;
  mode?: string;
  platform?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  roles?: string[];
  lastInputSeconds?: number;
}

conformance("the macOS app", {}, ({ blackBox }) => {
  for (const max of [3, 4]) {
    blackBox(`protocol ${max}: connects as operator and fills its screens from the snapshot`, async (target) => {
      const wire = await target.connect({ ...asOperator(target, makeDevice()), max });
      const { snapshot, auth, policy, features } = wire.hello as {
        snapshot: { presence: Presence[]; health: object; stateVersion: object; uptimeMs: number };
        auth: { role: string; scopes: string[]; deviceToken: string };
        policy: Record<string, number>;
        features: { methods: string[] };
      };
      expect(auth).toMatchObject({ role: "operator", scopes: expect.arrayContaining(scopes) });
      expect(auth.deviceToken).not.toBe("");
      expect(policy).toMatchObject({ tickIntervalMs: 30_000 });
      expect(snapshot).toMatchObject({ stateVersion: {}, uptimeMs: expect.any(Number), health: {} });
      const own = snapshot.presence.find(({ instanceId }) => instanceId === client.instanceId);
      expect(own).toMatchObject({
        host: client.displayName,
        mode: "ui",
        platform: client.platform,
        deviceFamily: "Mac",
        modelIdentifier: "Mac16,8",
      });
      for (const method of ["config.get", "health", "chat.history", "chat.send", "chat.abort", "system-event"])
        expect(features.methods).toContain(method);
      await wire.close();
    });
  }

  blackBox("asks for what its windows show", async (target) => {
    const wire = await target.connect(asOperator(target, makeDevice()));
    await wire.call("config.get", {});
    expect(await wire.call("health", {})).toMatchObject({ ok: true });
    await wire.call("chat.history", { sessionKey: "main", limit: 50 });
    await wire.call("device.pair.list", {});
    expect(await wire.call("node.list", {})).toMatchObject({ nodes: expect.any(Array) });
    await wire.close();
  });

  blackBox("its beacon updates its own presence entry, and others hear of it", async (target) => {
    const wire = await target.connect(asOperator(target, makeDevice()));
    const watcher = await target.connect();
    const from = watcher.frames.length;
    await wire.call("system-event", {
      text: "Node: Ada's MacBook (10.0.0.7) · app 2026.2.9 · last input 4s ago · mode ui · reason periodic",
      instanceId: client.instanceId,
      host: client.displayName,
      ip: "10.0.0.7",
      version: client.version,
      platform: client.platform,
      deviceFamily: client.deviceFamily,
      modelIdentifier: client.modelIdentifier,
      mode: "ui",
      lastInputSeconds: 4,
      reason: "periodic",
      tags: [],
    });
    await watcher.event("presence", (payload) => JSON.stringify(payload).includes("Ada's MacBook"), from);
    const entries = await watcher.call<Presence[]>("system-presence", {});
    expect(entries.find(({ instanceId }) => instanceId === client.instanceId)).toMatchObject({ lastInputSeconds: 4 });
    await watcher.close();
    await wire.close();
  });

  blackBox("the same device joins as node without questions, and holds the node's methods only", async (target) => {
    const device = makeDevice();
    const operator = await target.connect(asOperator(target, device));
    const node = await target.connect(asNode(target, device));
    expect(node.hello.auth).toMatchObject({ role: "node" });
    const denied = await node.request("config.get", {});
    expect(refused(denied).message).toBe("unauthorized role: node");
    const answer = await operator.request("skills.bins", {});
    expect(refused(answer).message).toBe("unauthorized role: operator");
    await node.close();
    await operator.close();
  });

  blackBox("comes back with the device token it was given, without the shared one", async (target) => {
    const device = makeDevice();
    const first = await target.connect(asOperator(target, device));
    const { deviceToken } = first.hello.auth as unknown as { deviceToken: string };
    await first.close();
    const wire = await Wire.open(target.url);
    const again = { ...asOperator(target, device), token: deviceToken };
    expect((await wire.request("connect", connectParams(again, wire.nonce))).payload).toMatchObject({
      type: "hello-ok",
      auth: { deviceToken },
    });
    await wire.close();
  });
});
