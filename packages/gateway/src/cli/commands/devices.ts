/** Rows of devices, presence and system events. A table without code. */
import type { CommandRow } from "../command.ts";
import { json, rpcPlain, rpcSlow } from "../options.ts";

export const deviceCommands: readonly CommandRow[] = [
  { path: "devices", summary: "Devices that may connect" },
  {
    path: "devices list",
    summary: "List waiting and paired devices",
    options: rpcPlain,
    load: async () => (await import("../devices.ts")).list,
  },
  {
    path: "devices approve",
    summary: "Let a waiting device in",
    arguments: [{ name: "requestId", required: true }],
    options: rpcPlain,
    load: async () => (await import("../devices.ts")).approve,
  },
  {
    path: "devices reject",
    summary: "Turn a waiting device away",
    arguments: [{ name: "requestId", required: true }],
    options: rpcPlain,
    load: async () => (await import("../devices.ts")).reject,
  },
  {
    path: "devices revoke",
    summary: "Take a device's token away",
    options: [
      ...rpcPlain,
      { name: "device", value: "id", text: "Device" },
      { name: "role", value: "role", text: "operator or node" },
    ],
    load: async () => (await import("../devices.ts")).revoke,
  },
  {
    path: "devices rotate",
    summary: "Give a device a new token",
    options: [
      ...rpcPlain,
      { name: "device", value: "id", text: "Device" },
      { name: "role", value: "role", text: "operator or node" },
      { name: "scope", value: "scope", text: "Scope of the new token (repeatable)", repeat: true },
    ],
    load: async () => (await import("../devices.ts")).rotate,
  },
  { path: "system", summary: "Presence, events and heartbeat" },
  {
    path: "system event",
    summary: "Tell the main session something",
    options: [
      ...rpcSlow,
      { name: "text", value: "text", text: "What happened" },
      {
        name: "mode",
        value: "mode",
        text: "now or next-heartbeat",
        fallback: "next-heartbeat",
        choices: ["now", "next-heartbeat"],
      },
      json,
    ],
    load: async () => (await import("../system.ts")).event,
  },
  {
    path: "system presence",
    summary: "List who is connected",
    options: [...rpcSlow, json],
    load: async () => (await import("../system.ts")).presence,
  },
];
