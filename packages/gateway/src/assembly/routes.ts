/** Every HTTP route of the gateway's port beside the probes, in the order in which they are tried. The Control UI is last: it
 *  answers what nothing else wants. */
import { existsSync } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import type { AgentDirectory } from "../features/agents/index.ts";
import type { OpenAiApi } from "../features/openai/index.ts";
import type { HttpRoute } from "../kernel/http.ts";
import { expandHome } from "../kernel/paths.ts";
import type { World } from "../kernel/world.ts";
import {
  contentType,
  controlUiRoutes,
  metricsRoutes,
  noControlUiRoutes,
  type Avatar,
  type Route,
} from "../server/index.ts";
import type { Metrics } from "./metrics.ts";
import type { EffectiveConfig } from "./sections.ts";

export interface ApiParts {
  openai: OpenAiApi;
  metrics: Metrics;
  config: { readonly current: EffectiveConfig };
  /** Nothing but loopback is listened on. */
  loopback: boolean;
  /** Of automation: webhooks, tools. */
  others?: readonly HttpRoute[];
}

/** APIs, tried before every page. Each reads its switch at use. */
export function apiRoutes({ openai, metrics, config, loopback, others = [] }: ApiParts): HttpRoute[] {
  return [
    ...others,
    ...openai.routes,
    ...metricsRoutes({
      enabled: () => config.current.gateway.metrics.enabled ?? loopback,
      token: () => config.current.gateway.metrics.token,
      metrics: () => metrics.read(),
    }),
  ];
}

export interface RouteParts {
  world: Pick<World, "homedir">;
  config: EffectiveConfig;
  version: string;
  directory: AgentDirectory;
  /** Routes of other surfaces; they come first. */
  others?: readonly Route[];
}

export function httpRoutes({ world, config, version, directory, others = [] }: RouteParts): Route[] {
  const { enabled, basePath, root } = config.gateway.controlUi;
  if (!enabled) return [...others, ...noControlUiRoutes()];
  const folder = root === undefined ? builtControlUi() : expandHome(root, world);
  // A checkout that was never built: the plain text of `GET /` says what this port is.
  if (folder === undefined) return [...others];
  const hooks = hooksPath(config);
  const reserved = ["/v1", "/tools", "/api", "/__openclaw__", ...(hooks === undefined ? [] : [hooks])];
  const assistant = () => {
    const { agentId, name, avatar } = directory.card(directory.defaultId());
    return { agentId, name, avatar };
  };
  const avatar = (agentId: string, base: string) => avatarOf(directory, agentId, base);
  return [...others, ...controlUiRoutes({ root: folder, basePath, version, assistant, avatar, reserved })];
}

/** Where the build puts the app: beside the chunks in what ships, in `dist` of the package while sources run. */
export function builtControlUi(from: string = import.meta.dirname): string | undefined {
  return [join(from, "../ui"), join(from, "../../dist/ui")].find((folder) => existsSync(join(folder, "index.html")));
}

function hooksPath(config: EffectiveConfig): string | undefined {
  const given = (config as { hooks?: { path?: unknown } }).hooks?.path;
  const path = typeof given === "string" ? given.trim().replace(/^\/+|\/+$/g, "") : "hooks";
  return path === "" ? undefined : `/${path}`;
}

const pictures = new Set([".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"]);
const maxAvatarBytes = 2 * 1024 * 1024;

/** http.md §13.7. A file counts only inside the agent's workspace, as the picture its name says it is. */
async function avatarOf(directory: AgentDirectory, agentId: string, basePath: string): Promise<Avatar | undefined> {
  if (!directory.exists(agentId)) return undefined;
  const { avatar } = directory.identity(agentId);
  if (avatar === undefined || avatar === "") return { url: null };
  if (/^(https?:|data:image\/)/i.test(avatar)) return { url: avatar };
  const file = await pictureInside(directory.workspace(agentId), avatar);
  return file ? { url: `${basePath}/avatar/${agentId}`, file } : { url: null };
}

async function pictureInside(workspace: string, name: string): Promise<Avatar["file"] | undefined> {
  if (!pictures.has(extname(name).toLowerCase())) return undefined;
  try {
    const root = await realpath(workspace);
    const place = await realpath(join(root, name));
    const entry = await stat(place);
    if (!place.startsWith(root + sep) || !entry.isFile() || entry.size > maxAvatarBytes) return undefined;
    const bytes = await readFile(place);
    const type = contentType(name);
    return isPicture(bytes, type) ? { bytes, type } : undefined;
  } catch {
    return undefined; // The file is not there: an agent without a picture.
  }
}

function isPicture(bytes: Buffer, type: string): boolean {
  const starts = (hex: string, at = 0) => bytes.subarray(at, at + hex.length / 2).toString("hex") === hex;
  if (type === "image/png") return starts("89504e470d0a1a0a");
  if (type === "image/jpeg") return starts("ffd8ff");
  if (type === "image/gif") return starts("474946383961") || starts("474946383761");
  if (type === "image/webp") return starts("52494646") && starts("57454250", 8);
  return /^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<svg[\s>]/i.test(bytes.subarray(0, 4096).toString("utf8"));
}
