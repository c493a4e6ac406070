/** Protocol handlers of channels (protocol.md §13.2, §13.8). */
import type { Call, Handles } from "../../kernel/call.ts";
import type { Channels } from "./channels.ts";
import type { Pairing } from "./pipeline/pairing.ts";
import type { Sender, Sends } from "./sends.ts";

type Names =
  | "send"
  | "poll"
  | "message.action"
  | "channels.status"
  | "channels.logout"
  | "web.login.start"
  | "web.login.wait"
  | "pairing.list"
  | "pairing.approve"
  | "pairing.reject";

const senderOf = ({ identity }: Call): Sender => ({
  principal: identity.principal,
  owner: identity.can("operator.admin"),
});

export const channelMethods = (channels: Channels, sends: Sends, pairing: Pairing) =>
  ({
    send: (params, call) => sends.send(params, senderOf(call), call.signal),
    poll: (params, call) => sends.poll(params, senderOf(call), call.signal),
    "message.action": (params) => sends.act(params),
    "channels.status": (params) => channels.status(params),
    "channels.logout": (params) => channels.logout(params),
    "web.login.start": (params) => channels.loginStart(params),
    "web.login.wait": (params, call) => channels.loginWait(params, call.signal),
    "pairing.list": (params) => ({ requests: pairing.list(params) }),
    "pairing.approve": (params) => pairing.approve(params),
    "pairing.reject": (params) => pairing.reject(params),
  }) satisfies Handles<Names>;
