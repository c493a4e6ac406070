/** The routes of the room, built from what the assembly hands over. */
import type { ConfigSource } from "../../config/section.ts";
import type { Bus } from "../../kernel/bus.ts";
import type { HttpRoute } from "../../kernel/http.ts";
import type { Logger } from "../../kernel/log.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { World } from "../../kernel/world.ts";
import type { Agents } from "../agents/index.ts";
import { ChatCompletions } from "./chat.ts";
import { type FetchFile, ImageReader } from "./image-reader.ts";
import { defaultImageTypes, imageLimits } from "./images.ts";
import { listModels, readModel } from "./models.ts";
import { ApiRuns } from "./runs.ts";

/** The part of the config that this room reads; read at use. */
export interface OpenAiConfig {
  gateway: {
    http: {
      endpoints: {
        chatCompletions: { enabled: boolean; images?: { allowUrl: boolean } | undefined };
        responses: { enabled: boolean; maxBodyBytes: number };
      };
    };
  };
}

export interface OpenAiOptions {
  world: World;
  log: Logger;
  bus: Bus;
  agents: Agents;
  config: ConfigSource<OpenAiConfig>;
  fetchFile: FetchFile;
}

const maxChatBytes = 20 * 1024 * 1024;

export interface OpenAiApi {
  routes: HttpRoute[];
  service: Service;
  /** Requests that are being answered, for metrics. */
  active: () => number;
}

export function openAiApi({ world, log, bus, agents, config, fetchFile }: OpenAiOptions): OpenAiApi {
  const endpoints = () => config.current.gateway.http.endpoints;
  const runs = new ApiRuns({ bus, log, agents });
  const chatImages = new ImageReader({
    fetch: fetchFile,
    rules: () => ({
      allowed: defaultImageTypes,
      maxBytes: imageLimits.bytes,
      allowUrl: endpoints().chatCompletions.images?.allowUrl === true,
      maxRedirects: 3,
      timeoutMs: 10_000,
    }),
    refusal: "Invalid image_url content in `messages`.",
  });
  const chat = new ChatCompletions({ world, agents, runs, images: chatImages });
  const chatOn = () => endpoints().chatCompletions.enabled;
  const anyOn = () => chatOn() || endpoints().responses.enabled;
  const shared = { auth: { operator: true }, dialect: "openai" } as const;
  const { directory } = agents;
  const routes: HttpRoute[] = [
    {
      ...shared,
      methods: ["POST"],
      path: "/v1/chat/completions",
      enabled: chatOn,
      maxBytes: maxChatBytes,
      handle: (call) => chat.handle(call),
    },
    {
      ...shared,
      methods: ["GET"],
      path: "/v1/models",
      enabled: anyOn,
      maxBytes: 0,
      handle: () => listModels(directory),
    },
    {
      ...shared,
      methods: ["GET"],
      path: "/v1/models/*",
      enabled: anyOn,
      maxBytes: 0,
      handle: (call) => readModel(call, directory),
    },
  ];
  return { routes, service: runs, active: () => runs.active };
}
