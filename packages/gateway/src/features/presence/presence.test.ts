import { beforeEach, describe, expect, test } from "vitest";
import { Bus } from "../../kernel/bus.ts";
import type { Identity } from "../../kernel/call.ts";
import { fakeWorld, type FakeWorld } from "../../kernel/fake-world.ts";
import { silentLogger } from "../../kernel/log.ts";
import { Presence, presenceLimits, presenceMethods, type PresenceEntry } from "./index.ts";

let world: FakeWorld;
let presence: Presence;
let events: { presence?: PresenceEntry[]; delta?: { upserted: PresenceEntry[]; removed: string[] } }[];
let notes: string[];

beforeEach(() => {
  world = fakeWorld();
  events = [];
  notes = [];
  const bus = new Bus(silentLogger);
  bus.on("presence", (payload) => void events.push(payload as (typeof events)[number]));
  presence = new Presence({
    world,
    bus,
    self: { host: "Box", version: "1.0" },
    enqueueSystemEvent: (text) => void notes.push(text),
  });
  presence.start();
});

const identity = (over: Partial<Identity> & { mode?: string; instanceId?: string } = {}): Identity => ({
  connId: "conn-1",
  role: "operator",
  scopes: ["operator.read"],
  principal: "shared",
  protocol: 3,
  client: {
    id: "openclaw-macos",
    mode: over.mode ?? "ui",
    version: "2.0",
    platform: "macos",
    ...(over.instanceId === undefined ? {} : { instanceId: over.instanceId }),
  },
  caps: [],
  local: true,
  can: () => true,
  ...over,
});

const hosts = () => presence.list().map((entry) => entry.host);

describe("connections", () => {
  test("the gateway is first, a connection appears, its end stays visible as a reason", () => {
    presence.connected(identity({ deviceId: "D1", instanceId: "I1" }));
    expect(presence.list()).toMatchObject([
      { host: "Box", mode: "gateway", reason: "self" },
      {
        host: "openclaw-macos",
        mode: "ui",
        version: "2.0",
        platform: "macos",
        deviceId: "D1",
        instanceId: "I1",
        roles: ["operator"],
        scopes: ["operator.read"],
        reason: "connect",
        text: "Node: openclaw-macos · mode ui",
      },
    ]);
    presence.disconnected(identity({ deviceId: "D1", instanceId: "I1" }));
    expect(presence.list()[1]).toMatchObject({ reason: "disconnect" });
  });

  test("clients of mode cli are not tracked", () => {
    presence.connected(identity({ mode: "cli" }));
    expect(hosts()).toEqual(["Box"]);
    expect(presence.version).toBe(1);
  });

  test("one device with two sockets leaves when the second one does; roles and scopes are united", () => {
    presence.connected(identity({ deviceId: "d" }));
    presence.connected(identity({ deviceId: "D", connId: "conn-2", role: "node", scopes: [] }));
    expect(presence.list()[1]).toMatchObject({ roles: ["operator", "node"], scopes: ["operator.read"] });
    presence.disconnected(identity({ deviceId: "d" }));
    expect(presence.list()[1]?.reason).toBe("connect");
    presence.disconnected(identity({ deviceId: "d" }));
    expect(presence.list()[1]?.reason).toBe("disconnect");
    expect(presence.version).toBe(5);
  });

  test("live connections stay, others expire after five minutes", async () => {
    presence.connected(identity({ deviceId: "stays" }));
    presence.systemEvent({ text: "note", host: "beacon" });
    await world.clock.advance(presenceLimits.ttlMs - 1);
    expect(hosts()).toEqual(["Box", "beacon", "openclaw-macos"]);
    await world.clock.advance(1);
    expect(hosts()).toEqual(["Box", "openclaw-macos"]);
    await world.clock.advance(presenceLimits.sweepMs);
    presence.disconnected(identity({ deviceId: "stays" }));
    await world.clock.advance(presenceLimits.ttlMs + presenceLimits.sweepMs);
    expect(hosts()).toEqual(["Box"]);
    expect(events.at(-1)?.delta?.removed).toEqual(["stays"]);
  });

  test("at most 200 entries are shown and kept", () => {
    for (let i = 0; i < 500; i++) presence.systemEvent({ text: `note ${i}`, host: `h${i}` });
    expect(presence.list()).toHaveLength(presenceLimits.entries);
    expect(hosts()[1]).toBe("h499");
    for (let i = 0; i < 300; i++) presence.connected(identity({ deviceId: `d${i}` }));
    expect(presence.list()).toHaveLength(presenceLimits.entries);
  });
});

describe("events", () => {
  test("the first change is announced at once, those of the next 250 ms together", async () => {
    presence.connected(identity({ deviceId: "a" }));
    expect(events).toHaveLength(1);
    for (const deviceId of ["b", "c", "d"]) presence.connected(identity({ deviceId }));
    expect(events).toHaveLength(1);
    await world.clock.advance(250);
    expect(events).toHaveLength(2);
    expect(events[1]?.delta?.upserted.map((entry) => entry.deviceId)).toEqual(["b", "c", "d"]);
    expect(events[1]?.presence).toHaveLength(5);
    presence.stop();
  });
});

describe("system-event", () => {
  const call = presenceMethods;

  test("text is required", () => {
    const methods = call(presence);
    expect(() => methods["system-event"]({})).toThrow("text required");
    expect(() => methods["system-event"]({ text: "  " })).toThrow("text required");
  });

  test("given fields win over those in the text, wrong types are ignored, tags are kept", () => {
    const text = "Node: Ann's Mac (192.168.1.5) · app 1.2.0 · last input 8s ago · mode local · reason periodic";
    call(presence)["system-event"]({
      text,
      tags: ["x", 3],
      version: "9",
      roles: "node",
      lastInputSeconds: 4.7,
      deviceId: "dev",
    });
    expect(presence.list()[1]).toMatchObject({
      host: "Ann's Mac",
      ip: "192.168.1.5",
      version: "9",
      mode: "local",
      reason: "periodic",
      lastInputSeconds: 4,
      tags: ["x"],
      deviceId: "dev",
      text,
    });
    expect(presence.list()[1]).not.toHaveProperty("roles");
  });

  test("a periodic beacon that says nothing new is no note; a change and free text are", () => {
    const beacon = (mode: string, reason: string) => ({ text: `Node: mac · mode ${mode} · reason ${reason}` });
    presence.systemEvent(beacon("local", "periodic"));
    presence.systemEvent(beacon("local", "periodic"));
    presence.systemEvent(beacon("remote", "periodic"));
    presence.systemEvent(beacon("remote", "wake"));
    presence.systemEvent({ text: "the door bell rang" });
    expect(notes).toEqual([
      "Node: mac · mode local · reason periodic",
      "Node: mac · mode remote · reason periodic",
      "Node: mac · mode remote · reason wake",
      "the door bell rang",
    ]);
    expect(presence.version).toBe(6);
  });
});
