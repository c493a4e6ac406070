/** A config with a canary in every key the schema calls sensitive, in addresses, and behind `${NAME}`. */
import type { Canaries } from "./canaries.ts";

export interface CanaryHome {
  config: Record<string, unknown>;
  /** Environment of the process. */
  env: Record<string, string>;
  /** `<state>/.env`. */
  dotenv: string;
}

export const failingProviders = 8;

export function canaryHome(canaries: Canaries, modelUrl: string): CanaryHome {
  const odd = (place: string) => canaries.fresh(`config ${place}`, "odd");
  const plain = (place: string) => canaries.fresh(`config ${place}`);
  const headers = (place: string) => ({ "X-Auth": plain(`${place} header`), Cookie: `s=${plain(`${place} cookie`)}` });
  const address = (place: string, scheme = "http") =>
    `${scheme}://user:${plain(`${place} userinfo`)}@127.0.0.1:1/v1?token=${plain(`${place} query`)}`;
  const env: Record<string, string> = {};
  const variable = (name: string) => {
    env[name] = canaries.fresh(`environment ${name}`, "odd");
    return `\${${name}}`;
  };

  for (const name of processVariables) variable(name);
  const provider = (n: number) => ({
    baseUrl: address(`models.providers.p${n}`),
    apiKey: n % 2 === 0 ? odd(`models.providers.p${n}.apiKey`) : variable(`PROVIDER_${n}_KEY`),
    headers: headers(`models.providers.p${n}`),
    api: ["openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai"][n % 4],
    models: [{ id: "m", headers: headers(`models.providers.p${n}.models`) }],
  });
  const telegram = (place: string) => ({
    botToken: odd(`${place}.botToken`),
    tokenFile: `/nowhere/${plain(`${place}.tokenFile`)}`,
    webhookSecret: odd(`${place}.webhookSecret`),
    proxy: address(`${place}.proxy`, "socks5"),
    webhookUrl: `https://example.org/hook?secret=${plain(`${place}.webhookUrl`)}`,
  });
  const media = (place: string) => ({
    headers: headers(place),
    baseUrl: address(place),
    models: [{ provider: "p1", model: "m", headers: headers(`${place}.models`) }],
  });
  const memory = (place: string) => ({
    remote: { apiKey: odd(`${place}.apiKey`), headers: headers(place), baseUrl: address(place) },
  });
  const docker = (place: string) => ({
    docker: { env: { DB_URL: odd(`${place}.docker.env`), MODE: variable("DOCKER_MODE") } },
  });
  const skill = (n: number) => ({
    apiKey: odd(`skills.entries.s${n}.apiKey`),
    env: { ONE: odd(`skills.entries.s${n}.env.ONE`), TWO: variable(`SKILL_${n}_SETTING`) },
  });
  const counted = <T>(count: number, prefix: string, make: (n: number) => T): Record<string, T> =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}${n}`, make(n)]));

  const config = {
    gateway: {
      mode: "local",
      reload: { debounceMs: 0 },
      auth: { mode: "token", token: odd("gateway.auth.token"), password: odd("gateway.auth.password") },
      remote: {
        url: address("gateway.remote.url", "wss"),
        token: odd("gateway.remote.token"),
        password: odd("gateway.remote.password"),
      },
      metrics: { token: odd("gateway.metrics.token") },
    },
    env: {
      DIRECT_SETTING: odd("env.DIRECT_SETTING"),
      vars: counted(6, "INLINE_", (n) => odd(`env.vars.INLINE_${n}`)),
    },
    models: {
      providers: {
        mock: {
          baseUrl: modelUrl,
          apiKey: odd("models.providers.mock.apiKey"),
          api: "openai-completions",
          models: [{ id: "m", name: "Mock", contextWindow: 200_000, maxTokens: 8_000 }],
        },
        ...counted(failingProviders, "p", provider),
      },
    },
    agents: {
      defaults: {
        skipBootstrap: true,
        maxConcurrent: 32,
        model: { primary: "mock/m" },
        memorySearch: memory("agents.defaults.memorySearch"),
        sandbox: docker("agents.defaults.sandbox"),
        cliBackends: { other: { command: "true", env: { SETTING: odd("agents.defaults.cliBackends.env") } } },
      },
      list: [{ id: "main", memorySearch: memory("agents.list.memorySearch"), sandbox: docker("agents.list.sandbox") }],
    },
    messages: {
      tts: { elevenlabs: { apiKey: odd("messages.tts.elevenlabs") }, openai: { apiKey: odd("messages.tts.openai") } },
    },
    tools: {
      web: {
        fetch: { firecrawl: { apiKey: odd("tools.web.fetch.firecrawl") } },
        search: {
          apiKey: odd("tools.web.search"),
          perplexity: { apiKey: odd("tools.web.search.perplexity") },
          grok: { apiKey: odd("tools.web.search.grok") },
        },
      },
      media: {
        models: [{ provider: "p1", model: "m", headers: headers("tools.media.models") }],
        image: media("tools.media.image"),
        audio: media("tools.media.audio"),
        video: media("tools.media.video"),
      },
    },
    skills: { entries: counted(6, "s", skill) },
    channels: {
      telegram: {
        enabled: false,
        ...telegram("channels.telegram"),
        accounts: counted(3, "a", (n) => telegram(`channels.telegram.accounts.a${n}`)),
      },
    },
    hooks: { token: odd("hooks.token"), gmail: { pushToken: odd("hooks.gmail.pushToken") } },
    talk: { apiKey: odd("talk.apiKey") },
    diagnostics: { otel: { headers: headers("diagnostics.otel"), endpoint: address("diagnostics.otel.endpoint") } },
  };
  const dotenv = Array.from({ length: 8 }, (_, n) => `SETTING_${n}_TOKEN=${canaries.fresh(`.env SETTING_${n}_TOKEN`)}`);
  return { config, env, dotenv: `${dotenv.join("\n")}\n` };
}

const processVariables = [
  "OPENAI_API_KEY",
  "ANTHROPIC_API_KEY",
  "GEMINI_API_KEY",
  "OPENROUTER_API_KEY",
  "TELEGRAM_BOT_TOKEN",
  "BRAVE_API_KEY",
  "ELEVENLABS_API_KEY",
  "MY_SERVICE_TOKEN",
  "DB_PASSWORD",
  "SMTP_PASSWD",
  "WEBHOOK_SECRET",
  "DEPLOY_KEY",
];
