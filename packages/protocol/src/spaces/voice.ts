/** Talk mode, text to speech, wake words (protocol.md §13.13). */
import { event, method } from "../define.ts";
import { bool, choice, closed, json, list, model, ms, nullable, open, opt, str, str1, strings } from "../fields.ts";

const TalkMode = model("TalkMode", { enabled: bool, phase: nullable(str), ts: ms });

export const talkMode = method({
  name: "talk.mode",
  scope: "operator.write",
  summary: "Switches talk mode.",
  planned: true,
  params: closed({ enabled: bool, phase: opt(str) }),
  result: TalkMode,
});

export const talkModeEvent = event({
  name: "talk.mode",
  audience: "reader",
  whenSlow: "drop",
  summary: "Talk mode was switched.",
  planned: true,
  payload: TalkMode,
});

export const talkConfig = method({
  name: "talk.config",
  scope: "operator.read",
  summary: "The config a talking client needs, secrets redacted.",
  planned: true,
  params: closed({ includeSecrets: opt(bool) }),
  result: open({
    config: open({
      talk: opt(open({})),
      session: opt(open({ mainKey: opt(str) })),
      ui: opt(open({ seamColor: opt(str) })),
    }),
  }),
});

const provider = choice("openai", "elevenlabs", "edge");

export const ttsStatus = method({
  name: "tts.status",
  scope: "operator.read",
  summary: "Whether replies are spoken, and by whom.",
  planned: true,
  params: open({}),
  result: open({
    enabled: bool,
    auto: str,
    provider: str,
    fallbackProvider: nullable(str),
    fallbackProviders: strings,
    prefsPath: str,
    hasOpenAIKey: bool,
    hasElevenLabsKey: bool,
    edgeEnabled: bool,
  }),
});

export const ttsProviders = method({
  name: "tts.providers",
  scope: "operator.read",
  summary: "Speech providers and which one is active.",
  planned: true,
  params: open({}),
  result: open({
    providers: list(open({ id: str, name: str, configured: bool, models: strings, voices: opt(strings) })),
    active: str,
  }),
});

export const ttsEnable = method({
  name: "tts.enable",
  scope: "operator.write",
  summary: "Speaks replies.",
  planned: true,
  params: open({}),
  result: open({ enabled: bool }),
});

export const ttsDisable = method({
  name: "tts.disable",
  scope: "operator.write",
  summary: "Stops speaking replies.",
  planned: true,
  params: open({}),
  result: open({ enabled: bool }),
});

export const ttsSetProvider = method({
  name: "tts.setProvider",
  scope: "operator.write",
  summary: "Chooses the speech provider.",
  planned: true,
  params: open({ provider: opt(json) }),
  result: open({ provider }),
});

export const ttsConvert = method({
  name: "tts.convert",
  scope: "operator.write",
  summary: "Turns text into an audio file.",
  planned: true,
  params: open({ text: opt(json), channel: opt(json) }),
  result: open({ audioPath: str1, provider: str, outputFormat: str, voiceCompatible: bool }),
});

const Triggers = model("VoiceWakeTriggers", { triggers: strings });

export const voicewakeGet = method({
  name: "voicewake.get",
  scope: "operator.read",
  summary: "The wake words.",
  planned: true,
  params: open({}),
  result: Triggers,
});

export const voicewakeSet = method({
  name: "voicewake.set",
  scope: "operator.write",
  summary: "Sets the wake words.",
  planned: true,
  params: open({ triggers: opt(json) }),
  result: Triggers,
});

export const voicewakeChanged = event({
  name: "voicewake.changed",
  audience: "reader",
  whenSlow: "drop",
  summary: "The wake words changed.",
  planned: true,
  payload: Triggers,
});
