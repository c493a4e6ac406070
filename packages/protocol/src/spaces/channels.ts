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
  receiving: opt(doc("The transport shows life; a quiet account is still receiving.", bool)),
  state: opt(doc("As in reliability: open, connecting, backoff, terminal, ….", str)),
  fix: opt(doc("What a person has to do, as a command where there is one.", str)),
  nextAttemptAt: opt(ms),
  lastDisconnect: opt(open({ at: ms, status: opt(int), error: str, loggedOut: bool })),
  lastEventAt: opt(ms),
  lastMessageAt: opt(doc("The later of the last message in and the last one out.", nullable(ms))),
  issues: opt(
    doc(
      "What stands in the way, each with what to do.",
      list(open({ kind: doc("intent, permissions, config, auth, runtime", str), message: str, fix: opt(str) })),
    ),
  ),
  self: opt(open({ id: str, name: opt(str), username: opt(str), e164: opt(str), jid: opt(str) })),
  authAgeMs: opt(ms),
  inbound: opt(doc("Messages by what became of them.", map(count))),
  outbox: opt(open({ queued: count, unknown: count })),
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
  params: closed({ channel: str1, accountId: opt(str) }),
  result: open({ channel: str, accountId: str, cleared: bool, loggedOut: opt(bool), envToken: opt(bool) }),
});

export const webLoginStart = method({
  name: "web.login.start",
  scope: "operator.admin",
  summary: "Begins a login by QR code or, with `phone`, by a code to type; stops the account first.",
  params: closed({
    force: opt(bool),
    verbose: opt(bool),
    timeoutMs: opt(count),
    accountId: opt(str),
    channel: opt(doc("Default whatsapp.", str1)),
    phone: opt(doc("Number of the phone, digits only: login by a code that is typed there.", str1)),
  }),
  result: open({
    message: str,
    qrDataUrl: opt(doc("PNG.", str)),
    qrText: opt(doc("What the picture says.", str)),
    qrTerminal: opt(doc("The picture, drawn with blocks.", str)),
    code: opt(doc("To type on the phone.", str)),
    expiresAt: opt(ms),
  }),
});

export const webLoginWait = method({
  name: "web.login.wait",
  scope: "operator.admin",
  summary: "Waits until the QR code was scanned; starts the account when it was.",
  params: closed({
    timeoutMs: opt(count),
    accountId: opt(str),
    channel: opt(doc("Default whatsapp.", str1)),
    shown: opt(doc("The code that is on the screen: the answer comes early when a newer one has to be shown.", str)),
  }),
  result: open({
    connected: bool,
    message: str,
    done: opt(doc("Nothing more will come of this login.", bool)),
    qrDataUrl: opt(str),
    qrText: opt(str),
    qrTerminal: opt(str),
    code: opt(str),
    expiresAt: opt(ms),
  }),
});

export const PairingRequest = model("PairingRequest", {
  channel: str1,
  accountId: str1,
  id: doc("Sender, as the platform names it.", str1),
  idLabel: str,
  code: str1,
  createdAt: ms,
  lastSeenAt: ms,
  meta: anyObject,
});

export const pairingList = method({
  name: "pairing.list",
  scope: "operator.pairing",
  summary: "Senders who wait for approval.",
  params: closed({ channel: opt(str1), accountId: opt(str1) }),
  result: open({ requests: list(PairingRequest) }),
});

export const pairingApprove = method({
  name: "pairing.approve",
  scope: "operator.pairing",
  summary: "Lets a sender write direct messages, by the code of the pairing reply.",
  rate: { calls: 10, perMs: 60_000 },
  params: closed({
    channel: str1,
    code: str1,
    accountId: opt(str1),
    notify: opt(doc("Tell the sender.", bool)),
  }),
  result: open({ channel: str, accountId: str, id: str }),
});

export const pairingReject = method({
  name: "pairing.reject",
  scope: "operator.pairing",
  summary: "Drops a pairing request.",
  rate: { calls: 10, perMs: 60_000 },
  params: closed({ channel: str1, code: str1, accountId: opt(str1) }),
  result: open({ channel: str, accountId: str, id: str }),
});
