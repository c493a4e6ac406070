/** Transcript messages as the prompt of the provider library. Signatures go back only to the model that made them. */
import type {
  LanguageModelV4FilePart,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4TextPart,
  SharedV4ProviderMetadata,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { AssistantMessage, ImageContent, TextContent, ToolResultMessage, UserMessage } from "@openclaw/protocol";
import type { ModelEntry, ModelRequest } from "../provider.ts";
import { isRecord } from "../json.ts";

export interface PromptRules {
  /** Namespace of provider options and metadata. */
  namespace: "openaiCompatible" | "openai" | "anthropic" | "google";
  /** Field of a bare signature string, as older transcripts have it. */
  bareSignature?: string;
  /** Whether a tool result may hold images; otherwise they follow as a user message. */
  imagesInResults: boolean;
  /** Whether unsigned thinking goes back inside the running tool loop. */
  replayPlainThinking: boolean;
  /** Options of the system message and of the last message (prompt caching). */
  cache?: SharedV4ProviderOptions;
}

type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];
type ToolPart = Extract<LanguageModelV4Message, { role: "tool" }>["content"][number];
type ToolOutput = Extract<ToolPart, { type: "tool-result" }>["output"];

export function toPrompt(model: ModelEntry, request: ModelRequest, rules: PromptRules): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [];
  if (request.system) prompt.push({ role: "system", content: request.system, ...withOptions(rules.cache) });
  const lastUser = request.messages.findLastIndex((message) => message.role === "user");
  for (let i = 0; i < request.messages.length; i++) {
    const message = request.messages[i];
    if (message === undefined) continue;
    if (message.role === "user") {
      prompt.push({
        role: "user",
        content: userParts(model, message),
      });
    } else if (message.role === "assistant") {
      const content = assistantParts(model, message, rules, i > lastUser);
      if (content.length > 0) prompt.push({ role: "assistant", content });
    } else {
      // Results of one assistant turn travel together; images that they cannot carry follow as the user's.
      const results: ToolResultMessage[] = [message];
      for (let next = request.messages[i + 1]; next?.role === "toolResult"; next = request.messages[i + 1]) {
        results.push(next);
        i++;
      }
      prompt.push(...toolMessages(model, results, rules));
    }
  }
  const last = prompt.at(-1);
  if (last && rules.cache && (last.role === "user" || last.role === "tool")) last.providerOptions = rules.cache;
  return prompt;
}

export const toTools = (request: ModelRequest): LanguageModelV4FunctionTool[] =>
  request.tools.map((tool) => ({
    type: "function",
    name: tool.name,
    description: tool.description,
    inputSchema: tool.parameters as LanguageModelV4FunctionTool["inputSchema"],
  }));

/** What is kept of the library's metadata of one part, as the opaque string of a transcript. */
export function toSignature(metadata: SharedV4ProviderMetadata | undefined, namespace: string): string | undefined {
  const own = metadata?.[namespace];
  if (!own) return undefined;
  const kept = Object.fromEntries(
    Object.entries(own).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
  return Object.keys(kept).length === 0 ? undefined : JSON.stringify(kept);
}

function fromSignature(signature: string | undefined, rules: PromptRules): SharedV4ProviderOptions | undefined {
  if (!signature) return undefined;
  if (signature.startsWith("{")) {
    try {
      const parsed: unknown = JSON.parse(signature);
      if (isRecord(parsed)) return { [rules.namespace]: parsed as SharedV4ProviderOptions[string] };
    } catch {
      // Not ours: a bare signature that happens to start with a brace.
    }
  }
  return rules.bareSignature === undefined ? undefined : { [rules.namespace]: { [rules.bareSignature]: signature } };
}

const withOptions = (providerOptions: SharedV4ProviderOptions | undefined) =>
  providerOptions ? { providerOptions } : {};

function userParts(model: ModelEntry, message: UserMessage): (LanguageModelV4TextPart | LanguageModelV4FilePart)[] {
  if (typeof message.content === "string") return [{ type: "text", text: message.content || "(empty message)" }];
  const parts = message.content
    .filter((part) => part.type === "image" || part.text !== "")
    .map((part) => textOrImage(model, part));
  return parts.length > 0 ? parts : [{ type: "text", text: "(empty message)" }];
}

function textOrImage(
  model: ModelEntry,
  part: TextContent | ImageContent,
): LanguageModelV4TextPart | LanguageModelV4FilePart {
  if (part.type === "text") return { type: "text", text: part.text };
  if (!model.input.includes("image")) return { type: "text", text: "[an image that this model cannot see]" };
  return { type: "file", mediaType: part.mimeType, data: { type: "data", data: part.data } };
}

function assistantParts(
  model: ModelEntry,
  message: AssistantMessage,
  rules: PromptRules,
  inLoop: boolean,
): AssistantPart[] {
  const own = message.provider === model.provider && message.model === model.id && message.api === model.api;
  const parts: AssistantPart[] = [];
  for (const part of message.content) {
    if (part.type === "text") {
      const options = own ? fromSignature(part.textSignature, rules) : undefined;
      if (part.text !== "" || options) parts.push({ type: "text", text: part.text, ...withOptions(options) });
    } else if (part.type === "thinking") {
      if (!own) continue;
      const options = fromSignature(part.thinkingSignature, rules);
      if (options) parts.push({ type: "reasoning", text: part.thinking, ...withOptions(options) });
      else if (rules.replayPlainThinking && inLoop && part.thinking !== "")
        parts.push({ type: "reasoning", text: part.thinking });
    } else {
      parts.push({
        type: "tool-call",
        toolCallId: part.id,
        toolName: part.name,
        input: part.arguments,
        ...withOptions(own ? fromSignature(part.thoughtSignature, rules) : undefined),
      });
    }
  }
  return parts;
}

function toolMessages(model: ModelEntry, results: ToolResultMessage[], rules: PromptRules): LanguageModelV4Message[] {
  const content: ToolPart[] = [];
  const images: (LanguageModelV4TextPart | LanguageModelV4FilePart)[] = [];
  for (const result of results) {
    const seen = result.content.filter(
      (part): part is ImageContent => part.type === "image" && model.input.includes("image"),
    );
    content.push({
      type: "tool-result",
      toolCallId: result.toolCallId,
      toolName: result.toolName,
      output: toolOutput(model, result, rules.imagesInResults && seen.length > 0 && !result.isError),
    });
    if (seen.length > 0 && (!rules.imagesInResults || result.isError)) {
      images.push(
        { type: "text", text: `Images returned by ${result.toolName}:` },
        ...seen.map((part) => textOrImage(model, part)),
      );
    }
  }
  const messages: LanguageModelV4Message[] = [{ role: "tool", content }];
  if (images.length > 0) messages.push({ role: "user", content: images });
  return messages;
}

function toolOutput(model: ModelEntry, result: ToolResultMessage, withImages: boolean): ToolOutput {
  if (withImages) {
    return {
      type: "content",
      value: result.content
        .filter((part) => part.type === "image" || part.text !== "")
        .map((part) =>
          part.type === "text"
            ? { type: "text", text: part.text }
            : { type: "file", mediaType: part.mimeType, data: { type: "data", data: part.data } },
        ),
    };
  }
  const text = result.content.map((part) =>
    part.type === "text"
      ? part.text
      : model.input.includes("image")
        ? "[image]"
        : "[an image that this model cannot see]",
  );
  return { type: result.isError ? "error-text" : "text", value: text.join("\n") || "(no output)" };
}
