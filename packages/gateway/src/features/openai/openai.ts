/** The routes of the room, built from what the assembly hands over. */
import type { ConfigSource } from "../../config/section.ts";
import type { Bus } from "../../kernel/bus.ts";
import type { HttpRoute } from "../../kernel/http.ts";
import type { Logger } from "../../kernel/log.ts";
import type { Service } from "../../kernel/lifecycle.ts";
import type { World } from "../../kernel/world.ts";
import type { Agents } from "../agents/index.ts";
import { ChatCompletions } from "./chat.ts";
import { defaultFileTypes, FileReader } from "./file-reader.ts";
import { type FetchFile, ImageReader } from "./image-reader.ts";
import { defaultImageTypes, imageLimits } from "./images.ts";
import { listModels, readModel } from "./models.ts";
import { Once } from "./once.ts";
import { PdfProcesses } from "./pdf-process.ts";
import { ResponseMemory } from "./response-memory.ts";
import { Responses } from "./responses.ts";
import { ApiRuns } from "./runs.ts";

interface UrlLimits {
  allowUrl: boolean;
  allowedMimes?: readonly string[] | undefined;
  maxRedirects: number;
  timeoutMs: number;
}

/** The part of the config that this room reads; read at use. */
export interface OpenAiConfig {
  gateway: {
    http: {
      endpoints: {
        chatCompletions: { enabled: boolean; images?: { allowUrl: boolean } | undefined };
        responses: {
          enabled: boolean;
          maxBodyBytes: number;
          images?: (UrlLimits & { maxBytes: number }) | undefined;
          files?:
            | (UrlLimits & { maxBytes: number; maxChars: number; pdf?: { maxPages: number } | undefined })
            | undefined;
        };
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
  /** Marks text from outside, so that it cannot end its own marks. */
  wrapUntrusted: (text: string, source: string) => string;
}

const maxChatBytes = 20 * 1024 * 1024;
const urlDefaults = { allowUrl: true, maxRedirects: 3, timeoutMs: 10_000 };
const imageDefaults = { ...urlDefaults, maxBytes: imageLimits.bytes };
const fileDefaults = { ...urlDefaults, maxBytes: 5 * 1024 * 1024, maxChars: 200_000, maxPages: 4 };

export interface OpenAiApi {
  routes: HttpRoute[];
  service: Service;
  /** Requests that are being answered, for metrics. */
  active: () => number;
}

export function openAiApi(options: OpenAiOptions): OpenAiApi {
  const { world, log, bus, agents, config, fetchFile, wrapUntrusted } = options;
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
  const pdfs = new PdfProcesses(world);
  const chat = new ChatCompletions({ world, agents, runs, images: chatImages });
  const responses = new Responses({
    world,
    agents,
    runs,
    memory: new ResponseMemory(world),
    images: new ImageReader({
      fetch: fetchFile,
      rules: () => {
        const { images } = endpoints().responses;
        return { ...imageDefaults, ...images, allowed: images?.allowedMimes ?? defaultImageTypes };
      },
      refusal: "Invalid image in `input`.",
    }),
    files: new FileReader({
      fetch: fetchFile,
      pdf: (bytes, limits, signal) => pdfs.read(bytes, limits, signal),
      rules: () => {
        const { files } = endpoints().responses;
        const maxPages = files?.pdf?.maxPages ?? fileDefaults.maxPages;
        return { ...fileDefaults, ...files, maxPages, allowed: files?.allowedMimes ?? defaultFileTypes };
      },
      wrap: wrapUntrusted,
    }),
  });
  const once = new Once(world);
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
      handle: (call) => once.answer(call, (one) => chat.handle(one)),
    },
    {
      ...shared,
      methods: ["POST"],
      path: "/v1/responses",
      enabled: () => endpoints().responses.enabled,
      maxBytes: () => endpoints().responses.maxBodyBytes,
      handle: (call) => once.answer(call, (one) => responses.handle(one)),
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
