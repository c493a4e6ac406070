/** Channel accounts and their logins (protocol.md §13.8). */
import { method } from "../define.ts";
import {
  anyObject,
  bool,
  closed,
  count,
  int,
  json,
  list,
  map,
  model,
  ms,
  nullable,
  open,
  opt,
  str,
  str1,
  strings,
  doc,
} from "../fields.ts";

export const ChannelAccount = model("ChannelAccount", {
  accountId: str1,
  name: opt(str),
  enabled: opt(bool),
  configured: opt(bool),
  linked: opt(bool),
  running: opt(bool),
  connected: opt(bool),
  reconnectAttempts: opt(int),
  lastConnectedAt: opt(nullable(ms)),
  lastError: opt(nullable(str)),
  lastStartAt: opt(nullable(ms)),
  lastStopAt: opt(nullable(ms)),
  lastInboundAt: opt(nullable(ms)),
  lastOutboundAt: opt(nullable(ms)),
  lastProbeAt: opt(nullable(ms)),
  mode: opt(str),
  dmPolicy: opt(str),
  allowFrom: opt(strings),
  tokenSource: opt(str),
  botTokenSource: opt(str),
  appTokenSource: opt(str),
  baseUrl: opt(str),
  allowUnmentionedGroups: opt(bool),
  cliPath: opt(nullable(str)),
  dbPath: opt(nullable(str)),
  port: opt(nullable(int)),
  probe: opt(json),
  audit: opt(json),
  application: opt(json),
});

export const channelsStatus = method({
  name: "channels.status",
  scope: "operator.read",
  summary: "State of every channel and account; `probe` asks the platforms.",
  params: closed({
    probe: opt(doc("Asks the platforms.", bool)),
    timeoutMs: opt(doc("Default 10000, at least 1000.", count)),
    channel: opt(doc("Only this channel.", str1)),
  }),
  result: open({
    ts: ms,
    channelOrder: strings,
    channelLabels: map(str),
    channelDetailLabels: opt(map(str)),
    channelSystemImages: opt(map(str)),
    channelMeta: opt(list(open({ id: str, label: str, detailLabel: str, systemImage: opt(str) }))),
    channels: map(anyObject),
    channelAccounts: map(list(ChannelAccount)),
    channelDefaultAccountId: map(str),
  }),
});

export const channelsLogout = method({
  name: "channels.logout",
  scope: "operator.admin",
  summary: "Forgets the login of a channel account.",
  planned: true,
  params: closed({ channel: str1, accountId: opt(str) }),
  result: open({ channel: str, accountId: str, cleared: bool, loggedOut: opt(bool), envToken: opt(bool) }),
});

export const webLoginStart = method({
  name: "web.login.start",
  scope: "operator.admin",
  summary: "Begins a login by QR code; stops the account first.",
  planned: true,
  params: closed({ force: opt(bool), verbose: opt(bool), timeoutMs: opt(count), accountId: opt(str) }),
  result: open({ message: str, qrDataUrl: opt(str) }),
});

export const webLoginWait = method({
  name: "web.login.wait",
  scope: "operator.admin",
  summary: "Waits until the QR code was scanned; starts the account when it was.",
  planned: true,
  params: closed({ timeoutMs: opt(count), accountId: opt(str) }),
  result: open({ connected: bool, message: str }),
});
