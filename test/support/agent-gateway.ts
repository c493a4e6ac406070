/** A gateway whose only model is a scripted provider on loopback. The script may be changed between runs. */
import { startFakeProvider, type Api, type FakeProvider, type FakeRequest, type Reply } from "./fake-provider/index.ts";
import { openGateway, type GatewayOptions, type TestGateway } from "./gateway.ts";

export interface ScriptedGateway extends TestGateway {
  readonly provider: FakeProvider;
  /** The text a person wrote last, as the provider received it. */
  script: (request: FakeRequest) => Reply | Promise<Reply>;
}

export async function openScriptedGateway(
  options: GatewayOptions & { api?: Api; fallbacks?: string[]; agentDefaults?: Record<string, unknown> } = {},
): Promise<ScriptedGateway> {
  let script: ScriptedGateway["script"] = () => ["ok"];
  const provider = await startFakeProvider({ script: (request) => script(request) });
  const api = options.api ?? "openai-completions";
  const model = {
    id: "mock-1",
    name: "Mock",
    contextWindow: 200_000,
    maxTokens: 8_000,
    input: ["text", "image"],
    cost: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 },
  };
  const backup = { ...model, id: "mock-2", name: "Mock 2" };
  const config = {
    models: {
      providers: {
        mock: { baseUrl: provider.baseUrl(api), apiKey: "mock-key-0123456789", api, models: [model, backup] },
      },
    },
    ...options.config,
    agents: {
      defaults: {
        skipBootstrap: true,
        model: { primary: "mock/mock-1", fallbacks: options.fallbacks ?? [] },
        ...options.agentDefaults,
      },
      ...(options.config?.agents as object | undefined),
    },
  };
  const gateway = await openGateway({ ...options, config }).catch(async (error: unknown) => {
    await provider.close();
    throw error;
  });
  const scripted = Object.assign(gateway, { provider, stop: stopBoth(gateway, provider) });
  return Object.defineProperty(scripted, "script", {
    get: () => script,
    set: (next: ScriptedGateway["script"]) => {
      script = next;
    },
  }) as ScriptedGateway;
}

function stopBoth(gateway: TestGateway, provider: FakeProvider): () => Promise<void> {
  const stop = gateway.stop.bind(gateway);
  return async () => {
    await stop();
    await provider.close();
  };
}

/** A promise that is settled from outside: lets a script wait until the test has seen what it wanted. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
