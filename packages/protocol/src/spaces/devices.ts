/** Device pairing and device tokens (protocol.md §6, §13.10). */
import { event, method } from "../define.ts";
import { bool, choice, closed, list, model, ms, open, opt, str, str1, strings, doc } from "../fields.ts";

export const PairingRequest = model("DevicePairingRequest", {
  requestId: str1,
  deviceId: str1,
  publicKey: str1,
  displayName: opt(str),
  platform: opt(str),
  clientId: opt(str),
  clientMode: opt(str),
  role: opt(str),
  roles: opt(strings),
  scopes: opt(strings),
  remoteIp: opt(str),
  silent: opt(bool),
  isRepair: opt(bool),
  ts: ms,
});

export const DeviceTokenSummary = model("DeviceTokenSummary", {
  role: str,
  scopes: strings,
  createdAtMs: ms,
  rotatedAtMs: opt(ms),
  revokedAtMs: opt(ms),
  lastUsedAtMs: opt(ms),
});

/** A paired device without its secrets. */
export const PairedDevice = model("PairedDevice", {
  deviceId: str1,
  publicKey: str1,
  displayName: opt(str),
  platform: opt(str),
  clientId: opt(str),
  clientMode: opt(str),
  role: opt(str),
  roles: strings,
  scopes: strings,
  remoteIp: opt(str),
  tokens: list(DeviceTokenSummary),
  createdAtMs: ms,
  approvedAtMs: ms,
});

export const devicePairList = method({
  name: "device.pair.list",
  scope: "operator.pairing",
  summary: "Pending requests and paired devices, newest first.",
  params: closed({}),
  result: open({ pending: list(PairingRequest), paired: list(PairedDevice) }),
});

export const devicePairApprove = method({
  name: "device.pair.approve",
  scope: "operator.pairing",
  summary: "Lets a device in with the role and scopes it asked for.",
  params: closed({ requestId: str1 }),
  result: open({ requestId: str1, device: PairedDevice }),
});

export const devicePairReject = method({
  name: "device.pair.reject",
  scope: "operator.pairing",
  summary: "Drops a pairing request; the device may ask again.",
  params: closed({ requestId: str1 }),
  result: open({ requestId: str1, deviceId: str1 }),
});

export const devicePairRemove = method({
  name: "device.pair.remove",
  scope: "operator.pairing",
  summary: "Forgets a device, its tokens and its open connections.",
  params: closed({ deviceId: str1 }),
  result: open({ deviceId: str1 }),
});

export const deviceTokenRotate = method({
  name: "device.token.rotate",
  scope: "operator.pairing",
  summary: "Issues a new token for a device and role.",
  params: closed({ deviceId: str1, role: str1, scopes: opt(doc("Default: those of the old token.", list(str1))) }),
  result: open({ deviceId: str1, role: str1, token: str1, scopes: strings, rotatedAtMs: ms }),
});

export const deviceTokenRevoke = method({
  name: "device.token.revoke",
  scope: "operator.pairing",
  summary: "Ends a device token; the next connect needs the shared secret.",
  params: closed({ deviceId: str1, role: str1 }),
  result: open({ deviceId: str1, role: str1, revokedAtMs: ms }),
});

export const devicePairRequested = event({
  name: "device.pair.requested",
  audience: "pairing",
  whenSlow: "drop",
  summary: "A device asks to be let in.",
  payload: PairingRequest,
});

export const devicePairResolved = event({
  name: "device.pair.resolved",
  audience: "pairing",
  whenSlow: "drop",
  summary: "A pairing request was approved or rejected.",
  payload: open({ requestId: str1, deviceId: str1, decision: choice("approved", "rejected"), ts: ms }),
});
