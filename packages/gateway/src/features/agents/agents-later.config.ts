/** Keys of agents whose feature comes later (config.md §7.5): judged and kept, read by nobody yet. Defaults are told in the
 *  texts; an absent key stays absent. */
import { Type } from "typebox";
import {
  group,
  optChoice,
  optFlag,
  optGroup,
  optMap,
  optNumber,
  optOpen,
  optTextMap,
  optTexts,
  optWhole,
  pattern,
  secret,
  text,
} from "../../config/fields.ts";

const heartbeat = optGroup(
  "Periodic turn of the agent.",
  {
    every: text("How often, such as 30m; 0m switches it off. Default 30m."),
    activeHours: optGroup("Only at these hours.", {
      start: pattern("^([01]?\\d|2[0-3]):[0-5]\\d$", "From, HH:MM."),
      end: pattern("^(([01]?\\d|2[0-3]):[0-5]\\d|24:00)$", "Until, HH:MM; 24:00 is the end of the day."),
      timezone: text("IANA zone, `user` or `local`."),
    }),
    model: text("Model of these turns."),
    session: text("Session of these turns. Default main."),
    includeReasoning: optFlag("Send the reasoning too. Default false."),
    target: text("Where results go: last, none or a channel. Default last."),
    to: text("Recipient."),
    accountId: text("Account that sends."),
    prompt: text("What the agent is asked."),
    ackMaxChars: optWhole("Characters beside the acknowledgement that still count as nothing due. Default 300.", {
      minimum: 0,
    }),
  },
  { reload: "heartbeat" },
);

const humanDelay = optGroup("Pause between blocks.", {
  mode: optChoice(["off", "natural", "custom"], "Default off."),
  minMs: optWhole("Shortest pause. Default 800.", { minimum: 0 }),
  maxMs: optWhole("Longest pause. Default 2500.", { minimum: 0 }),
});

const memorySearch = optGroup("Search in memory files.", {
  enabled: optFlag("Offer it. Default true."),
  sources: Type.Optional(
    Type.Array(Type.Unsafe<"memory" | "sessions">({ type: "string", enum: ["memory", "sessions"] }), {
      description: "What is searched. Default memory.",
    }),
  ),
  extraPaths: optTexts("Further folders."),
  experimental: optGroup("Not settled.", { sessionMemory: optFlag("Search past conversations.") }),
  provider: optChoice(["openai", "local", "gemini", "voyage"], "Who makes vectors. Default: whoever has a key."),
  remote: optGroup("A remote provider.", {
    baseUrl: text("Address."),
    apiKey: secret("Key."),
    headers: optMap(Type.String({ sensitive: true }), "Headers.", { sensitive: true }),
    batch: optGroup("Batches.", {
      enabled: optFlag("Use them. Default true."),
      wait: optFlag("Wait for results. Default true."),
      concurrency: optWhole("At once. Default 2."),
      pollIntervalMs: optWhole("Milliseconds between looks. Default 2000."),
      timeoutMinutes: optWhole("Longest wait. Default 60."),
    }),
  }),
  fallback: text("Provider used when the first fails, or none."),
  model: text("Model of the vectors."),
  local: optGroup("A model on this machine.", {
    modelPath: text("File."),
    modelCacheDir: text("Folder of downloads."),
  }),
  store: optGroup("Where vectors are kept.", {
    driver: optChoice(["sqlite"], "Kind of store."),
    path: text("File; {agentId} is replaced."),
    vector: optGroup("Vector extension.", {
      enabled: optFlag("Use it. Default true."),
      extensionPath: text("Its file."),
    }),
  }),
  chunking: optGroup("Pieces of a file.", {
    tokens: optWhole("Size. Default 400."),
    overlap: optWhole("Shared with the next. Default 80.", { minimum: 0 }),
  }),
  sync: optGroup("When files are read again.", {
    onSessionStart: optFlag("With a new session. Default true."),
    onSearch: optFlag("Before a search. Default true."),
    watch: optFlag("When they change. Default true."),
    watchDebounceMs: optWhole("Quiet time. Default 1500.", { minimum: 0 }),
    intervalMinutes: optWhole("Every so often. Default 0: never.", { minimum: 0 }),
    sessions: optGroup("Conversations.", {
      deltaBytes: optWhole("New bytes. Default 100000.", { minimum: 0 }),
      deltaMessages: optWhole("New messages. Default 50.", { minimum: 0 }),
    }),
  }),
  query: optGroup("Results.", {
    maxResults: optWhole("How many. Default 6."),
    minScore: optNumber("Least score. Default 0.35.", { minimum: 0, maximum: 1 }),
    hybrid: optGroup("Vectors and words together.", {
      enabled: optFlag("Default true."),
      vectorWeight: optNumber("Default 0.7.", { minimum: 0, maximum: 1 }),
      textWeight: optNumber("Default 0.3.", { minimum: 0, maximum: 1 }),
      candidateMultiplier: optWhole("Default 4."),
    }),
  }),
  cache: optGroup("Vectors already made.", { enabled: optFlag("Default true."), maxEntries: optWhole("How many.") }),
});

const sandbox = optGroup("Sandbox of tools.", {
  mode: optChoice(["off", "non-main", "all"], "Which sessions. Default off."),
  workspaceAccess: optChoice(["none", "ro", "rw"], "What it sees of the workspace. Default none."),
  scope: optChoice(["session", "agent", "shared"], "Who shares one. Default agent."),
  sessionToolsVisibility: optChoice(["spawned", "all"], "Which sessions its session tools see. Default spawned."),
  perSession: optFlag("Old form of scope.", { advanced: true }),
  workspaceRoot: text("Folder of its workspaces. Default ~/.openclaw/sandboxes."),
  docker: optGroup("Container.", {
    image: text("Image."),
    containerPrefix: text("Start of its name."),
    workdir: text("Folder inside."),
    readOnlyRoot: optFlag("Default true."),
    tmpfs: optTexts("Folders in memory."),
    network: text("Network. Default none."),
    user: text("User inside."),
    capDrop: optTexts("Capabilities taken away. Default ALL."),
    env: optMap(Type.String({ sensitive: true }), "Variables inside."),
    setupCommand: text("Run once."),
    pidsLimit: optWhole("Processes."),
    memory: Type.Optional(Type.Union([Type.String(), Type.Number()], { description: "Memory." })),
    memorySwap: Type.Optional(Type.Union([Type.String(), Type.Number()], { description: "Memory and swap." })),
    cpus: optNumber("Processors.", { exclusiveMinimum: 0 }),
    ulimits: optOpen("Limits by name."),
    seccompProfile: text("Profile."),
    apparmorProfile: text("Profile."),
    dns: optTexts("Name servers."),
    extraHosts: optTexts("Further host names."),
    binds: optTexts("Folders of the host, host:container:mode."),
  }),
  browser: optGroup("Browser in a container.", {
    enabled: optFlag("Default false."),
    image: text("Image."),
    containerPrefix: text("Start of its name."),
    cdpPort: optWhole("Default 9222.", { maximum: 65_535 }),
    vncPort: optWhole("Default 5900.", { maximum: 65_535 }),
    noVncPort: optWhole("Default 6080.", { maximum: 65_535 }),
    headless: optFlag("Default false."),
    enableNoVnc: optFlag("Default true."),
    allowHostControl: optFlag("Default false."),
    autoStart: optFlag("Default true."),
    autoStartTimeoutMs: optWhole("Default 12000."),
  }),
  prune: optGroup("Removal of old ones.", {
    idleHours: optWhole("Default 24; 0 never.", { minimum: 0 }),
    maxAgeDays: optWhole("Default 7; 0 never.", { minimum: 0 }),
  }),
});

const modelOrFallbacks = (description: string) =>
  Type.Optional(
    Type.Union(
      [
        Type.String(),
        group("Primary model and fallbacks.", {
          primary: text("The model asked first."),
          fallbacks: optTexts("Models tried when it fails."),
        }),
      ],
      { description },
    ),
  );

const chunkKeys = {
  minChars: optWhole("Least characters. Default 800."),
  maxChars: optWhole("Most characters. Default 1200."),
};

export const laterDefaultKeys = {
  repoRoot: text("Repository shown in the prompt. Default: found by itself."),
  imageModel: modelOrFallbacks("Model for images."),
  envelopeTimezone: text("Zone of message envelopes: utc, local, user or an IANA name. Default local."),
  envelopeTimestamp: optChoice(["on", "off"], "Time in message envelopes. Default on."),
  envelopeElapsed: optChoice(["on", "off"], "Elapsed time in message envelopes. Default on."),
  typingIntervalSeconds: optWhole("Seconds between typing indicators. Default 6."),
  typingMode: optChoice(["never", "instant", "thinking", "message"], "When typing shows."),
  elevatedDefault: optChoice(["off", "on", "ask", "full"], "Elevated execution by default. Default on."),
  blockStreamingDefault: optChoice(["off", "on"], "Send finished blocks early. Default off."),
  blockStreamingBreak: optChoice(["text_end", "message_end"], "Where a block ends. Default text_end."),
  blockStreamingChunk: optGroup("Size of a block.", {
    ...chunkKeys,
    breakPreference: optChoice(["paragraph", "newline", "sentence"], "Where it is split. Default paragraph."),
  }),
  blockStreamingCoalesce: optGroup("How blocks are joined.", {
    ...chunkKeys,
    idleMs: optWhole("Pause that ends a block. Default 1000.", { minimum: 0 }),
  }),
  humanDelay,
  heartbeat,
  contextPruning: optGroup("Pruning of old tool results.", {
    mode: optChoice(["off", "cache-ttl"], "When. Default off."),
    ttl: text("Age, such as 5m."),
    keepLastAssistants: optWhole("Newest answers whose results stay. Default 3.", { minimum: 0 }),
    softTrimRatio: optNumber("Filling from which results are shortened. Default 0.3.", { minimum: 0, maximum: 1 }),
    hardClearRatio: optNumber("Filling from which results are removed. Default 0.5.", { minimum: 0, maximum: 1 }),
    minPrunableToolChars: optWhole("Default 50000.", { minimum: 0 }),
    tools: optGroup("Whose results.", { allow: optTexts("Only these tools."), deny: optTexts("Never these tools.") }),
    softTrim: optGroup("Shortening.", {
      maxChars: optWhole("Default 4000."),
      headChars: optWhole("Default 1500.", { minimum: 0 }),
      tailChars: optWhole("Default 1500.", { minimum: 0 }),
    }),
    hardClear: optGroup("Removal.", {
      enabled: optFlag("Default true."),
      placeholder: text("What stands there instead."),
    }),
  }),
  subagents: optGroup("Limits of sub-agents.", {
    maxConcurrent: optWhole("At once. Default 8."),
    archiveAfterMinutes: optWhole("Default 60.", { minimum: 0 }),
    model: modelOrFallbacks("Model of sub-agents."),
    thinking: text("Thinking level of sub-agents."),
  }),
  sandbox,
  memorySearch,
  cliBackends: optMap(
    group("One program.", {
      command: Type.String({ minLength: 1, description: "Program." }),
      args: optTexts("Arguments."),
      output: optChoice(["json", "text", "jsonl"], "What it prints."),
      resumeOutput: optChoice(["json", "text", "jsonl"], "What it prints when resumed."),
      input: optChoice(["arg", "stdin"], "How it gets the prompt."),
      maxPromptArgChars: optWhole("Longest prompt as argument."),
      env: optMap(Type.String({ sensitive: true }), "Variables."),
      clearEnv: optTexts("Variables taken away."),
      modelArg: text("Option of the model."),
      modelAliases: optTextMap("Its names of models."),
      sessionArg: text("Option of the session."),
      sessionArgs: optTexts("Options of the session."),
      resumeArgs: optTexts("Options of a resumed session."),
      sessionMode: optChoice(["always", "existing", "none"], "When the session is named."),
      sessionIdFields: optTexts("Where its answer names the session."),
      systemPromptArg: text("Option of the system prompt."),
      systemPromptMode: optChoice(["append", "replace"], "What it does with it."),
      systemPromptWhen: optChoice(["first", "always", "never"], "When it is given."),
      imageArg: text("Option of images."),
      imageMode: optChoice(["repeat", "list"], "Several images."),
      serialize: optFlag("One run at a time."),
    }),
    "External programs as models, by id.",
  ),
};

export const laterAgentKeys = {
  skills: optTexts("Skills the agent may use. Default all."),
  memorySearch,
  humanDelay,
  heartbeat,
  groupChat: optGroup("Behaviour in groups.", {
    mentionPatterns: optTexts("Patterns that address the agent."),
    historyLimit: optWhole("Messages kept as context.", { minimum: 0 }),
  }),
  subagents: optGroup("Sub-agents this agent may start.", {
    allowAgents: optTexts("Ids, or `*`."),
    model: modelOrFallbacks("Their model."),
    thinking: text("Their thinking level."),
  }),
  sandbox,
};

const share = (description: string) => optNumber(description, { minimum: 0, maximum: 1 });

export const speech = optGroup("Speech replies.", {
  auto: optChoice(["off", "always", "inbound", "tagged"], "When replies are spoken. Default off."),
  mode: optChoice(["final", "all"], "Which parts. Default final."),
  provider: optChoice(["elevenlabs", "openai", "edge"], "Who speaks."),
  summaryModel: text("Model that shortens long replies."),
  modelOverrides: optGroup("What the model may decide.", {
    enabled: optFlag("Anything at all."),
    allowText: optFlag("The spoken text."),
    allowProvider: optFlag("The provider."),
    allowVoice: optFlag("The voice."),
    allowModelId: optFlag("The model."),
    allowVoiceSettings: optFlag("Settings of the voice."),
    allowNormalization: optFlag("Normalisation."),
    allowSeed: optFlag("The seed."),
  }),
  elevenlabs: optGroup("ElevenLabs.", {
    apiKey: secret("Key."),
    baseUrl: text("Address."),
    voiceId: text("Voice."),
    modelId: text("Model."),
    seed: optWhole("Seed.", { minimum: 0 }),
    applyTextNormalization: optChoice(["auto", "on", "off"], "Normalisation."),
    languageCode: text("Language."),
    voiceSettings: optGroup("Voice.", {
      stability: share("Stability."),
      similarityBoost: share("Likeness."),
      style: share("Style."),
      useSpeakerBoost: optFlag("Boost."),
      speed: optNumber("Speed.", { minimum: 0.5, maximum: 2 }),
    }),
  }),
  openai: optGroup("OpenAI.", {
    apiKey: secret("Key."),
    model: text("Model. Default gpt-4o-mini-tts."),
    voice: text("Voice. Default alloy."),
  }),
  edge: optGroup("Edge.", {
    enabled: optFlag("Use it."),
    voice: text("Voice. Default en-US-MichelleNeural."),
    lang: text("Language."),
    outputFormat: text("Audio format."),
    pitch: text("Pitch."),
    rate: text("Rate."),
    volume: text("Volume."),
    saveSubtitles: optFlag("Keep subtitles."),
    proxy: text("Proxy."),
    timeoutMs: optWhole("Deadline."),
  }),
  prefsPath: text("File of personal settings."),
  maxTextLength: optWhole("Characters spoken. Default 4096."),
  timeoutMs: optWhole("Deadline. Default 30000.", { minimum: 1_000, maximum: 120_000 }),
});
