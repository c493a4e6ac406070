/** Config sections `agents`, `messages` and `commands` (config.md §7.3-7.5). Keys that belong to later work stand in
 *  `agents-later.config.ts`. */
import { Type, type TSchema } from "typebox";
import { section, type SectionValue } from "../../config/section.ts";
import { agentToolsSchema } from "../tools/index.ts";
import { laterAgentKeys, laterDefaultKeys, speech } from "./agents-later.config.ts";

const choice = <const V extends readonly [string, ...string[]]>(
  values: V,
  options: { default?: V[number]; description: string },
) => Type.Unsafe<V[number]>({ type: "string", enum: [...values], ...options });
const text = (description: string) => Type.Optional(Type.String({ description }));
const group = <P extends Record<string, TSchema>>(properties: P, options: { description: string }) =>
  Type.Object(properties, { additionalProperties: false, ...options });

const thinking = ["off", "minimal", "low", "medium", "high", "xhigh"] as const;
const verbose = ["off", "on", "full"] as const;

const modelChoice = (description: string) =>
  Type.Optional(
    Type.Union(
      [
        Type.String(),
        group(
          {
            primary: text("The model asked first."),
            fallbacks: Type.Optional(Type.Array(Type.String(), { description: "Models tried when it fails." })),
          },
          { description: "Primary model and fallbacks." },
        ),
      ],
      { description },
    ),
  );

const identity = Type.Optional(
  group(
    {
      name: text("Name."),
      theme: text("Colour theme."),
      emoji: text("Emoji."),
      avatar: text("Avatar: a text, a URL or a file of the workspace."),
    },
    { description: "How the agent presents itself; IDENTITY.md fills what is missing." },
  ),
);

const defaults = group(
  {
    workspace: text("Working directory of the default agent. Default ~/.openclaw/workspace."),
    skipBootstrap: Type.Boolean({ default: false, description: "Do not create workspace files." }),
    bootstrapMaxChars: Type.Integer({
      default: 20_000,
      minimum: 100,
      description: "Characters of one workspace file in the prompt.",
    }),
    model: modelChoice("The model runs use: `provider/model` or alias, or primary and fallbacks."),
    models: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(
          {
            alias: text("Short name."),
            params: Type.Optional(
              Type.Record(Type.String(), Type.Unknown(), { description: "Parameters of the model, e.g. `thinking`." }),
            ),
            streaming: Type.Optional(Type.Boolean({ description: "Stream the answer." })),
          },
          { additionalProperties: false },
        ),
        {
          description:
            "Aliases and parameters by `provider/model`; when not empty, the list of models that may be chosen.",
        },
      ),
    ),
    userTimezone: text("IANA zone of the person. Default: the host's."),
    timeFormat: choice(["auto", "12", "24"], { default: "auto", description: "Clock format." }),
    contextTokens: Type.Optional(Type.Integer({ minimum: 1, description: "Caps the context window of every model." })),
    timeoutSeconds: Type.Integer({
      default: 600,
      minimum: 1,
      maximum: 86_400,
      description: "Deadline of a run in seconds.",
    }),
    maxConcurrent: Type.Integer({
      default: 4,
      minimum: 1,
      maximum: 1000,
      description: "Runs at once over all sessions.",
    }),
    mediaMaxMb: Type.Number({ default: 5, description: "Largest outbound media file." }),
    thinkingDefault: Type.Optional(
      choice(thinking, { description: "Thinking level. Default: low for reasoning models, else off." }),
    ),
    verboseDefault: choice(verbose, { default: "off", description: "How much of tool calls is shown." }),
    compaction: group(
      {
        mode: choice(["default", "safeguard"], {
          default: "safeguard",
          description: "How long histories are summarised.",
        }),
        reserveTokens: Type.Integer({ default: 16_384, minimum: 0, description: "Tokens of the window kept free." }),
        reserveTokensFloor: Type.Integer({ default: 20_000, minimum: 0, description: "Least reserve." }),
        keepRecentTokens: Type.Integer({
          default: 20_000,
          minimum: 500,
          description: "Newest tokens that stay word for word.",
        }),
        maxHistoryShare: Type.Optional(
          Type.Number({
            minimum: 0.1,
            maximum: 0.9,
            description: "Share of the window that history may take. Default 0.5.",
          }),
        ),
        memoryFlush: Type.Optional(
          group(
            {
              enabled: Type.Optional(Type.Boolean({ description: "Do it. Default true." })),
              softThresholdTokens: Type.Optional(
                Type.Integer({ minimum: 0, description: "How close to the limit. Default 4000." }),
              ),
              prompt: text("What the agent is asked."),
              systemPrompt: text("Added to the system prompt."),
            },
            { description: "A silent turn that stores notes first." },
          ),
        ),
      },
      { description: "When and how a long conversation is summarised." },
    ),
    ...laterDefaultKeys,
  },
  { description: "What holds for every agent." },
);

const listed = Type.Object(
  {
    id: Type.String({ minLength: 1, description: "Id of the agent." }),
    default: Type.Optional(Type.Boolean({ description: "The agent used when nobody names one." })),
    name: text("Name for people."),
    workspace: text("Working directory. Default ~/.openclaw/workspace-<id>."),
    agentDir: text("Directory of credentials. Default <state>/agents/<id>/agent."),
    model: modelChoice("Model of this agent."),
    identity,
    ...laterAgentKeys,
    tools: Type.Optional(agentToolsSchema),
  },
  { additionalProperties: false, description: "One agent." },
);

export const agentsSection = section(
  "agents",
  { reload: "live", description: "The agents of this gateway." },
  { defaults, list: Type.Optional(Type.Array(listed, { description: "Agents. Absent: one agent `main`." })) },
);

export const messagesSection = section(
  "messages",
  { reload: "live", description: "How messages come in and go out." },
  {
    responsePrefix: text(
      "Put before every reply; `auto` is `[identity name]`. Knows {model} {modelFull} {provider} {thinkingLevel} {identity.name}.",
    ),
    messagePrefix: text("Put before inbound messages."),
    ackReaction: text("Reaction that acknowledges a message."),
    ackReactionScope: choice(["group-mentions", "group-all", "direct", "all"], {
      default: "group-mentions",
      description: "Where it is used.",
    }),
    removeAckAfterReply: Type.Boolean({ default: false, description: "Remove the reaction after the reply." }),
    groupChat: group(
      {
        mentionPatterns: Type.Optional(Type.Array(Type.String(), { description: "Patterns that address the agent." })),
        historyLimit: Type.Integer({ default: 50, minimum: 0, description: "Messages of a group kept as context." }),
      },
      { description: "Groups." },
    ),
    queue: group(
      {
        mode: choice(["steer", "followup", "collect", "steer-backlog", "steer+backlog", "queue", "interrupt"], {
          default: "collect",
          description: "What a channel message does while a run is active.",
        }),
        byChannel: Type.Optional(Type.Record(Type.String(), Type.String(), { description: "Mode by channel." })),
        debounceMs: Type.Integer({ default: 1000, minimum: 0, description: "Quiet time before queued messages run." }),
        debounceMsByChannel: Type.Optional(
          Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { description: "Quiet time by channel." }),
        ),
        cap: Type.Integer({ default: 20, minimum: 1, description: "Messages that may wait." }),
        drop: choice(["old", "new", "summarize"], {
          default: "summarize",
          description: "What happens beyond the cap.",
        }),
      },
      { description: "Messages for a session that is busy." },
    ),
    inbound: Type.Optional(
      group(
        {
          debounceMs: Type.Optional(Type.Integer({ minimum: 0, description: "Quiet time. Default 0." })),
          byChannel: Type.Optional(
            Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { description: "Quiet time by channel." }),
          ),
        },
        { description: "Merging of rapid messages." },
      ),
    ),
    tts: speech,
  },
);

export const commandsSection = section(
  "commands",
  { reload: "live", description: "Slash commands in messages." },
  {
    native: Type.Union([Type.Boolean(), Type.Literal("auto")], {
      default: "auto",
      description: "Register command menus on platforms.",
      reload: "telegram",
    }),
    nativeSkills: Type.Optional(
      Type.Union([Type.Boolean(), Type.Literal("auto")], {
        description: "The same for skills. Default auto.",
        reload: "telegram",
      }),
    ),
    text: Type.Boolean({ default: true, description: "Read `/command` in messages." }),
    bash: Type.Optional(Type.Boolean({ description: "Allow `!` and `/bash`. Default false." })),
    bashForegroundMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 30_000, description: "How long `/bash` waits. Default 2000." }),
    ),
    config: Type.Boolean({ default: false, description: "Allow `/config`." }),
    debug: Type.Optional(Type.Boolean({ description: "Allow `/debug`. Default false." })),
    restart: Type.Boolean({ default: false, description: "Allow restarts by `/restart`, tool and signal." }),
    useAccessGroups: Type.Boolean({ default: true, description: "Allow lists decide who may use commands." }),
    ownerAllowFrom: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Number()]), { description: "Who counts as owner." }),
    ),
  },
);

export interface AgentsRoomConfig {
  agents: SectionValue<typeof agentsSection>;
  messages: SectionValue<typeof messagesSection>;
  commands: SectionValue<typeof commandsSection>;
  /** Owned by the sessions room. */
  session?: { scope?: string; dmScope?: string };
  /** Owned by the tools room. */
  tools?: { sessions: { visibility: string } };
}
export type AgentDefaults = AgentsRoomConfig["agents"]["defaults"];
export type ListedAgent = NonNullable<AgentsRoomConfig["agents"]["list"]>[number];
