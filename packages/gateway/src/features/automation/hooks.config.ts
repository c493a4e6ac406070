/** Config keys `hooks.*` (config.md §7.7): webhooks on the main port, mail, and event hooks. */
import {
  flag,
  group,
  optChoice,
  optFlag,
  optGroup,
  optList,
  optOpen,
  optTexts,
  optWhole,
  secret,
  text,
  whole,
} from "../../config/fields.ts";
import { section } from "../../config/section.ts";

const mapping = group("One rule.", {
  id: text("Name for the log."),
  match: optGroup("Which requests it takes.", {
    path: text("Path below hooks.path."),
    source: text("`source` of the payload."),
  }),
  action: optChoice(["wake", "agent"], "Wake the main session, or start a run. Default agent."),
  wakeMode: optChoice(["now", "next-heartbeat"], "When. Default now."),
  name: text("Name of the source for people."),
  sessionKey: text("Session of the run; may hold {{placeholders}}."),
  agentId: text("Agent of the run."),
  messageTemplate: text("Message of the run; may hold {{placeholders}}."),
  textTemplate: text("Text of the wake; may hold {{placeholders}}."),
  deliver: optFlag("Send the reply to a channel. Default true."),
  allowUnsafeExternalContent: optFlag("Do not mark the payload as foreign text."),
  channel: text("Channel of the reply. Default last."),
  to: text("Recipient of the reply."),
  model: text("Model of the run."),
  thinking: text("Thinking level of the run."),
  timeoutSeconds: optWhole("Deadline of the run."),
  transform: optGroup("Code that shapes the payload.", {
    module: text("File below transformsDir."),
    export: text("Its function."),
  }),
});

const gmail = optGroup(
  "Mail through Gmail push notifications.",
  {
    account: text("Address."),
    label: text("Label that is watched. Default INBOX."),
    topic: text("Topic of the notifications. Default gog-gmail-watch."),
    subscription: text("Subscription. Default gog-gmail-watch-push."),
    pushToken: secret("Secret of the push endpoint."),
    hookUrl: text("Where notifications are handed to."),
    includeBody: optFlag("Hand over the body too. Default true."),
    maxBytes: optWhole("Largest body. Default 20000."),
    renewEveryMinutes: optWhole("Minutes between renewals of the watch. Default 720."),
    allowUnsafeExternalContent: optFlag("Do not mark mail as foreign text. Default false."),
    serve: optGroup("Local endpoint.", {
      bind: text("Address. Default 127.0.0.1."),
      port: optWhole("Port. Default 8788.", { maximum: 65_535 }),
      path: text("Path. Default /gmail-pubsub."),
    }),
    tailscale: optGroup("Exposure.", {
      mode: optChoice(["off", "serve", "funnel"], "How. Default off."),
      path: text("Path."),
      target: text("Target."),
    }),
    model: text("Model of the runs."),
    thinking: text("Thinking level of the runs."),
  },
  { reload: "hooks gmail" },
);

export const hooksSection = section(
  "hooks",
  { reload: "hooks", description: "Webhooks, mail and event hooks." },
  {
    enabled: flag(false, "Take webhooks on the main port."),
    path: text("Path of the webhooks. Default /hooks."),
    token: secret("Token of the webhooks. Required when enabled."),
    allowRequestSessionKey: optFlag("Callers of /agent may name the session of their run. Default true."),
    allowedAgentIds: optTexts("Agents that webhooks may start. Default all."),
    maxBodyBytes: whole(262_144, "Largest request body."),
    presets: optTexts("Ready-made rules."),
    transformsDir: text("Folder of transform code. Default: the config's folder."),
    mappings: optList(mapping, "Rules, first match wins."),
    gmail,
    internal: optGroup("Code that runs on events of the gateway.", {
      enabled: optFlag("Run it. Default false."),
      handlers: optList(
        group("One handler.", { event: text("Event."), module: text("File."), export: text("Its function.") }),
        "Handlers.",
      ),
      entries: optOpen("Settings by hook."),
      load: optGroup("Where hooks come from.", { extraDirs: optTexts("Further folders.") }),
      installs: optOpen("How hooks were installed."),
    }),
  },
);
