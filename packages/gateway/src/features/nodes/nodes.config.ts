/** Config keys of nodes, of finding gateways, and of approvals (config.md §7.2). */
import { flag, group, optChoice, optFlag, optGroup, optList, optTexts, text, texts } from "../../config/fields.ts";
import { section } from "../../config/section.ts";

export const discoverySection = section(
  "discovery",
  { reload: "restart", description: "How this gateway is found.", later: true },
  {
    mdns: optGroup("On the local network.", {
      mode: optChoice(["off", "minimal", "full"], "What is advertised. Default minimal."),
    }),
    wideArea: optGroup("By DNS.", { enabled: optFlag("Serve a zone. Default false."), domain: text("Its domain.") }),
  },
);

export const nodeHostSection = section(
  "nodeHost",
  { reload: "restart", description: "This machine as a node of another gateway.", later: true },
  {
    browserProxy: group("Its browser.", {
      enabled: flag(true, "Offer it."),
      allowProfiles: texts([], "Profiles offered. Empty: all."),
    }),
  },
);

export const approvalsSection = section(
  "approvals",
  { reload: "restart", description: "Questions before commands run.", later: true },
  {
    exec: optGroup("Commands.", {
      enabled: optFlag("Forward questions to chats. Default false."),
      mode: optChoice(["session", "targets", "both"], "Where to. Default session."),
      agentFilter: optTexts("Only of these agents."),
      sessionFilter: optTexts("Only of sessions that match."),
      targets: optList(
        group("One chat.", {
          channel: text("Channel."),
          to: text("Recipient."),
          accountId: text("Account."),
          threadId: text("Thread."),
        }),
        "Chats that are asked.",
      ),
    }),
  },
);
