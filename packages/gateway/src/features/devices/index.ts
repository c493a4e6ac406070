/** Devices: pairing and device tokens. Owns tables `device`, `device_token`, `device_pending`, `device_import` and
 *  `node_pairing`.
 *  Guarantees: requests and decisions are durable before they are answered; an approval is one atomic step; a token is returned
 *  unchanged while it fits; pending requests live 5 minutes, one per device, 50 in all. Verifies no signatures and knows no
 *  sockets: the server does both. */
export { Devices, type DevicesParts } from "./devices.ts";
export { deviceMethods } from "./devices.methods.ts";
export { deviceMigrations } from "./devices.store.ts";
export { importDevices, importNodes, type DeviceImportLog } from "./import-devices.ts";
export type { PairedDevice, PairingRequest, PresentedDevice } from "./records.ts";
