/** Config keys `bindings` and `broadcast` (config.md §7.4): which agent answers whom. */
import { Type } from "typebox";
import { group, optChoice, optGroup, text } from "../../config/fields.ts";
import { section, sectionOf } from "../../config/section.ts";

const needed = (description: string) => Type.String({ minLength: 1, description });

export const bindingsSection = sectionOf(
  "bindings",
  { reload: "live" },
  Type.Array(
    group("One rule.", {
      agentId: needed("Agent that answers."),
      match: group("What it takes.", {
        channel: needed("Channel."),
        accountId: text("Account."),
        peer: optGroup("Person or group.", {
          kind: Type.Unsafe<"direct" | "group" | "channel">({
            type: "string",
            enum: ["direct", "group", "channel"],
            description: "Kind of peer.",
          }),
          id: needed("Its id on the platform."),
        }),
        guildId: text("Server."),
        teamId: text("Team."),
      }),
    }),
    {
      default: [],
      description: "Which agent answers whom. The most specific rule wins: peer, guild, team, account, channel.",
    },
  ),
);

export const broadcastSection = section(
  "broadcast",
  { reload: "restart", description: "Peers that several agents answer.", later: true },
  { strategy: optChoice(["parallel", "sequential"], "All at once, or one after the other. Default parallel.") },
  Type.Array(Type.String(), { description: "Agents that answer this peer." }),
);
