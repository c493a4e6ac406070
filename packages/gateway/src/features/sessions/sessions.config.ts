/** The `session.*` keys (config.md §7.4). */
import { Type } from "typebox";
import { section, type SectionValue } from "../../config/section.ts";

const optional = Type.Optional;
const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values, options: object) =>
  Type.Unsafe<Values[number]>({ type: "string", enum: [...values], ...options });

const resetFields = {
  mode: optional(oneOf(["daily", "idle"], { description: "New session once a day, or after a pause. Default daily." })),
  atHour: optional(
    Type.Integer({
      minimum: 0,
      maximum: 23,
      description: "Hour of the daily reset in the gateway's time zone. Default 4.",
    }),
  ),
  idleMinutes: optional(
    Type.Integer({
      minimum: 1,
      description: "Minutes without a message. With mode daily, whichever comes first. Default 60 in mode idle.",
    }),
  ),
};
const resetPolicy = (description: string) => Type.Object(resetFields, { additionalProperties: false, description });

export const sessionSection = section(
  "session",
  { reload: "live", description: "Conversations: how messages are grouped and when a new session starts." },
  {
    scope: oneOf(["per-sender", "global"], {
      default: "per-sender",
      description: "One session per sender, or one for everything.",
    }),
    dmScope: oneOf(["main", "per-peer", "per-channel-peer", "per-account-channel-peer"], {
      default: "main",
      description: "Which direct messages share a session. Several senders should not share `main`.",
    }),
    identityLinks: optional(
      Type.Record(Type.String(), Type.Array(Type.String()), {
        description: "The same person on several channels: a name and its ids, such as `telegram:123`.",
      }),
    ),
    mainKey: Type.String({
      default: "main",
      description: "Ignored; the main session is always `main`.",
      advanced: true,
    }),
    reset: optional(resetPolicy("When the next message starts a new session. Default: daily at 4.")),
    resetByType: optional(
      Type.Object(
        {
          direct: optional(resetPolicy("Direct messages.")),
          dm: optional(resetPolicy("Old name of `direct`.")),
          group: optional(resetPolicy("Groups and rooms.")),
          thread: optional(resetPolicy("Threads and topics.")),
        },
        { additionalProperties: false, description: "Reset policy by kind of conversation; wins over `reset`." },
      ),
    ),
    resetByChannel: optional(
      Type.Record(Type.String(), resetPolicy("Policy of this channel."), {
        description: "Reset policy by channel id; wins over `resetByType`.",
      }),
    ),
    idleMinutes: optional(
      Type.Integer({ minimum: 1, description: "Old form of `reset: { mode: idle }`.", advanced: true }),
    ),
    resetTriggers: Type.Array(Type.String(), {
      default: ["/new", "/reset"],
      description: "Messages that start a new session, alone or followed by text.",
    }),
    store: optional(
      Type.String({ description: "Not used: sessions are kept in the gateway's database.", advanced: true }),
    ),
    typingIntervalSeconds: Type.Integer({ default: 6, minimum: 1, description: "Seconds between typing indicators." }),
    typingMode: optional(
      oneOf(["never", "instant", "thinking", "message"], {
        description: "When typing shows. Default: instant in direct chats and mentions, message elsewhere.",
      }),
    ),
    sendPolicy: optional(
      Type.Object(
        {
          default: optional(oneOf(["allow", "deny"], { description: "For sessions no rule matches. Default allow." })),
          rules: optional(
            Type.Array(
              Type.Object(
                {
                  action: oneOf(["allow", "deny"], { description: "A matching deny wins." }),
                  match: optional(
                    Type.Object(
                      {
                        channel: optional(Type.String({ description: "Channel id." })),
                        chatType: optional(
                          oneOf(["direct", "dm", "group", "channel"], { description: "Kind of chat." }),
                        ),
                        keyPrefix: optional(
                          Type.String({ description: "Start of the session key, with or without `agent:<id>:`." }),
                        ),
                      },
                      { additionalProperties: false, description: "All given parts must match." },
                    ),
                  ),
                },
                { additionalProperties: false },
              ),
              { description: "Rules by channel, kind or key." },
            ),
          ),
        },
        { additionalProperties: false, description: "Which sessions may deliver replies." },
      ),
    ),
    agentToAgent: optional(
      Type.Object(
        {
          maxPingPongTurns: Type.Integer({
            default: 5,
            minimum: 0,
            maximum: 5,
            description: "Turns two agents may answer each other.",
          }),
        },
        { additionalProperties: false, description: "Messages between agents." },
      ),
    ),
  },
);

export type SessionConfig = SectionValue<typeof sessionSection>;
export type ResetPolicy = NonNullable<SessionConfig["reset"]>;
