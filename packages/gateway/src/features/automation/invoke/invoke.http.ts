/** `POST /tools/invoke`: one tool, without a model (http.md §11). The policy that binds agents binds it, and tools that change the
 *  machine are left out unless the config says otherwise. */
import { GatewayError } from "@openclaw/protocol";
import { type HttpCall, HttpError, type HttpReply, type HttpRoute } from "../../../kernel/http.ts";
import type { World } from "../../../kernel/world.ts";
import { type AgentDirectory, type Agents, normalizeAgentId } from "../../agents/index.ts";
import type { Sessions } from "../../sessions/index.ts";
import { allowedTools, type Tool, type ToolBox, toolName, type ToolResult, type ToolRules } from "../../tools/index.ts";

export interface InvokeOptions {
  world: Pick<World, "now" | "monotonic" | "after" | "uuid">;
  config: { readonly current: { gateway: { tools?: { allow?: readonly string[]; deny?: readonly string[] } } } };
  tools: () => ToolBox;
  agents: Pick<Agents, "deps">;
  directory: Pick<AgentDirectory, "workspace" | "exists" | "defaultId">;
  sessions: Pick<Sessions, "mainKey" | "canonicalKey" | "agentOf">;
  /** Provider and model of an agent, for rules by provider. */
  modelOf: (agentId: string) => { provider: string; id: string };
  /** Rules of the group a session belongs to, and of sub-agents. */
  narrower: (sessionKey: string, channel?: string, accountId?: string) => readonly ToolRules[];
  systemEvent: (sessionKey: string, text: string) => void;
}

/** What an HTTP caller does not get by default: commands, writes, and what acts for other sessions. */
const withheld = [
  ..."exec process spawn shell fs_write fs_delete fs_move write edit apply_patch".split(" "),
  ..."sessions_spawn sessions_send cron gateway nodes whatsapp_login".split(" "),
];

const maxBytes = 2 * 1024 * 1024;
const maxMs = 120_000;
const maxNameChars = 128;

type Json = Record<string, unknown>;

interface Asked {
  /** As it was given, for the answer. */
  name: string;
  args: Json;
  action: string | undefined;
  sessionKey: string;
  agentId: string;
}

export function invokeRoute(options: InvokeOptions): HttpRoute {
  return {
    methods: ["POST"],
    path: "/tools/invoke",
    auth: { operator: true },
    dialect: "tools",
    maxBytes,
    handle: async (call) => invoke(read(await call.json(), options), call, options),
  };
}

/** Throws HttpError 400 for what is no request of this kind. */
function read(body: unknown, options: InvokeOptions): Asked {
  if (!isObject(body)) throw new HttpError(400, "The request body must be a JSON object.");
  const given = body["name"] ?? body["tool"];
  const name = typeof given === "string" ? given.trim() : "";
  if (name === "") throw new HttpError(400, "tools.invoke requires body.tool");
  const args = body["args"] ?? {};
  if (!isObject(args)) throw new HttpError(400, "args must be an object", { param: "args" });
  const action = body["action"];
  const { sessions, directory } = options;
  const agentId = optionalText(body, "agentId");
  const agent = agentId === undefined ? undefined : normalizeAgentId(agentId, "");
  if (agent !== undefined && !directory.exists(agent))
    throw new HttpError(400, `unknown agentId "${agentId?.slice(0, 64)}"`, { param: "agentId" });
  const key = optionalText(body, "sessionKey");
  const sessionKey = key === undefined || key === "main" ? sessions.mainKey(agent) : sessions.canonicalKey(key, agent);
  const owner = sessionKey === "global" ? (agent ?? directory.defaultId()) : sessions.agentOf(sessionKey);
  if (agent !== undefined && owner !== agent)
    throw new HttpError(400, `sessionKey belongs to agent "${owner}"`, { param: "agentId" });
  return {
    name: name.slice(0, maxNameChars),
    args,
    action: typeof action === "string" && action.trim() !== "" ? action : undefined,
    sessionKey,
    agentId: owner,
  };
}

async function invoke(asked: Asked, call: HttpCall, options: InvokeOptions): Promise<HttpReply> {
  const { world } = options;
  const startedAt = world.monotonic();
  const told = { tool: toolName(asked.name).slice(0, 64), session: asked.sessionKey };
  const tell = (outcome: string) =>
    call.log.info(`tools.invoke ${told.tool} ${outcome}`, {
      id: call.id,
      session: told.session,
      durationMs: Math.round(world.monotonic() - startedAt),
    });
  const tool = offered(asked, call, options).find(({ name }) => name === toolName(asked.name));
  if (!tool) {
    tell("not available");
    throw new HttpError(404, `Tool not available: ${asked.name}`, { type: "not_found" });
  }
  const outcome = await run(tool, asked, call, options);
  tell(outcome.failed?.status === undefined ? "ok" : String(outcome.failed.status));
  if (outcome.failed) throw outcome.failed;
  return outcome.reply;
}

/** Tools of this session, after every rule. */
function offered({ agentId, sessionKey }: Asked, call: HttpCall, options: InvokeOptions): Tool[] {
  const { provider, id: model } = options.modelOf(agentId);
  const box = options.tools();
  const found = box.forRun({ agentId, provider, model, owner: true, origin: "operator", sessionKey });
  const { allow = [], deny = [] } = options.config.current.gateway.tools ?? {};
  const opened = new Set(allow.map(toolName));
  const channel = call.headers["x-openclaw-message-channel"]?.trim().toLowerCase();
  const accountId = call.headers["x-openclaw-account-id"]?.trim();
  const names = new Set(
    allowedTools({
      tools: found.map(({ name }) => name),
      provider,
      model,
      global: {},
      narrower: [...options.narrower(sessionKey, channel || undefined, accountId || undefined), { deny: [...deny] }],
    }),
  );
  return found.filter(({ name }) => names.has(name) && (opened.has(name) || !withheld.includes(name)));
}

type Outcome = { reply: HttpReply; failed?: undefined } | { failed: HttpError; reply?: undefined };

async function run(tool: Tool, asked: Asked, call: HttpCall, options: InvokeOptions): Promise<Outcome> {
  const { world, agents, directory, systemEvent } = options;
  const { agentId, sessionKey } = asked;
  const { deps } = agents;
  const workspace = directory.workspace(agentId);
  await deps.workspaces.ensure(workspace, { skipBootstrap: deps.config.current.agents.defaults.skipBootstrap });
  let thrown: unknown;
  const watched: Tool = {
    ...tool,
    run: async (params, context) => {
      try {
        const result = await tool.run(params, context);
        if (!Array.isArray(result?.content)) throw new TypeError("the result has no content");
        return result;
      } catch (error) {
        thrown = error;
        throw error;
      }
    },
  };
  const late = new AbortController();
  const args = withAction(tool, asked);
  const timeoutMs = Math.min(maxMs, positive(args["timeoutMs"]) ?? maxMs);
  const timer = world.after(timeoutMs, () => late.abort());
  const calling = options.tools().call(watched, args, {
    runId: `invoke:${call.id}`,
    agentId,
    sessionKey,
    workspace,
    origin: "operator",
    owner: true,
    signal: AbortSignal.any([call.signal, late.signal]),
    update: () => {},
    systemEvent: (text) => systemEvent(sessionKey, text),
    log: call.log,
  });
  const result = await calling.finally(() => timer.cancel());
  if (late.signal.aborted)
    return { failed: toolError(504, `${tool.name} was stopped after ${Math.round(timeoutMs / 1_000)} s`) };
  if (isBug(thrown)) {
    call.log.error(`tool ${tool.name} failed`, { id: call.id, error: thrown });
    return { failed: toolError(500, "tool execution failed") };
  }
  if (result.isError) return { failed: toolError(400, textOf(result) || "the tool failed") };
  return answer(result, call, tool);
}

/** Written out here: a tool may return what is no JSON. */
function answer({ content, details }: ToolResult, call: HttpCall, tool: Tool): Outcome {
  try {
    const json = JSON.stringify({ ok: true, result: { content, ...(details === undefined ? {} : { details }) } });
    return {
      reply: {
        bytes: Buffer.from(json),
        type: "application/json; charset=utf-8",
        headers: { "Cache-Control": "no-store" },
      },
    };
  } catch (error) {
    call.log.error(`the result of tool ${tool.name} is no JSON`, { id: call.id, error });
    return { failed: toolError(500, "tool execution failed") };
  }
}

/** `action` beside the arguments, for tools that have one and were given none. */
function withAction(tool: Tool, { args, action }: Asked): Json {
  const { properties } = tool.params as { properties?: Json };
  const takes = properties !== undefined && Object.hasOwn(properties, "action");
  return action !== undefined && takes && !Object.hasOwn(args, "action") ? { ...args, action } : args;
}

const toolError = (status: number, message: string): HttpError =>
  new HttpError(status, message, { type: "tool_error" });

/** What no author of a tool throws on purpose. */
const isBug = (error: unknown): boolean =>
  error !== undefined &&
  !(error instanceof GatewayError) &&
  (!(error instanceof Error) ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError);

const textOf = ({ content }: ToolResult): string =>
  content
    .flatMap((block) => (block.type === "text" ? [block.text] : []))
    .join("\n")
    .slice(0, 4_000);

const positive = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;

const optionalText = (body: Json, name: string): string | undefined => {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new HttpError(400, `${name} must be a string`, { param: name });
  return value.trim() === "" ? undefined : value.trim();
};

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
