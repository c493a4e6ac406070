/** Protocol methods of devices (protocol.md §13.10). */
import type { Handles } from "../../kernel/call.ts";
import type { Devices } from "./devices.ts";

type DeviceMethod =
  | "device.pair.list"
  | "device.pair.approve"
  | "device.pair.reject"
  | "device.pair.remove"
  | "device.token.rotate"
  | "device.token.revoke";

export const deviceMethods = (devices: Devices) =>
  ({
    "device.pair.list": () => devices.list(),
    "device.pair.approve": (params, call) => devices.approve(params.requestId, call.identity),
    "device.pair.reject": (params) => devices.reject(params.requestId),
    "device.pair.remove": (params) => devices.remove(params.deviceId),
    "device.token.rotate": (params, call) => devices.rotate(params, call.identity),
    "device.token.revoke": (params) => devices.revoke(params.deviceId, params.role),
  }) satisfies Handles<DeviceMethod>;
