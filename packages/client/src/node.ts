/** What a Node program adds to the client: a light transport, the device key as a file, device tokens as a file. */
export { nodeSocket } from "./node/socket.ts";
export type { NodeSocketOptions } from "./node/socket.ts";
export { fileDeviceTokens, fileIdentity, seedIdentity } from "./node/identity.ts";
