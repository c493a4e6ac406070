/** Tool `message`: sends and acts on messages of chat platforms (agent.md §4.9). Its sends go through the outbox like every other. */
import { GatewayError } from "@openclaw/protocol";
import { Type } from "typebox";
import type { ConfigSource } from "../../config/section.ts";
import type { World } from "../../kernel/world.ts";
import type { Agents, ReplyRoute } from "../agents/index.ts";
import type { Sessions } from "../sessions/index.ts";
import {
  errorResult,
  textResult,
  tool,
  type Tool,
  type ToolContext,
  type ToolResult,
  type ToolsConfig,
} from "../tools/index.ts";
import type { ChannelCapabilities, Target } from "./channel.ts";
import { echoChat, type Echoes } from "./pipeline/echoes.ts";
import type { Sender, Sends } from "./sends.ts";

export interface MessageToolOptions {
  world: Pick<World, "uuid">;
  config: ConfigSource<{ tools: ToolsConfig }>;
  sends: Pick<Sends, "send" | "poll" | "act" | "resolve">;
  agents: Pick<Agents, "routeOf" | "chatOf">;
  sessions: Pick<Sessions, "get">;
  echoes: Echoes;
  /** What the configured channels can do; without any the tool is not offered. */
  capabilities: () => readonly Pick<ChannelCapabilities, "polls" | "reactions" | "edit" | "delete">[];
}

const maxTargets = 10;
const maxMedia = 10;
const text = (description: string) => Type.Optional(Type.String({ description }));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));
const texts = (description: string, maxItems: number) =>
  Type.Optional(Type.Array(Type.String(), { description, maxItems }));

type Action = "send" | "poll" | "react" | "edit" | "delete";

/** What the configured channels can do, in this order. */
const everyAction: readonly Action[] = ["send", "poll", "react", "edit", "delete"];

const paramsFor = (actions: readonly Action[]) =>
  Type.Object(
    {
      action: Type.Optional(
        Type.Unsafe<Action>({
          type: "string",
          enum: [...actions],
          description: "Default send. Not every channel can do everything.",
        }),
      ),
      channel: text("Channel, such as whatsapp or telegram. Default: the one of this conversation."),
      accountId: text("Account of the channel."),
      target: text("To whom: a number, chat id or group. Default: this conversation."),
      targets: texts("Several targets for the same text.", maxTargets),
      threadId: text("Topic or thread."),
      message: text("Text to send, or the new text of edit."),
      media: text("A file: a path in the workspace, or a URL."),
      mediaUrls: texts("Further files.", maxMedia),
      buffer: text("A file by its content, in base64."),
      filename: text("Name of the file in buffer."),
      contentType: text("Type of the file in buffer, such as image/png."),
      caption: text("Text that goes with the file; the same as message."),
      replyTo: text("Id of the message to answer."),
      asVoice: flag("Send audio as a voice message."),
      silent: flag("Without a sound."),
      gifPlayback: flag("Play a video like a GIF."),
      ...(actions.some((action) => action === "react" || action === "edit" || action === "delete")
        ? { messageId: text("For react, edit and delete.") }
        : {}),
      ...(actions.includes("react") ? { emoji: text("For react."), remove: flag("Take the reaction back.") } : {}),
      ...(actions.includes("poll")
        ? {
            pollQuestion: text("For poll."),
            pollOption: texts("Choices of the poll.", 12),
            pollMulti: flag("Several choices may be picked."),
            pollDurationHours: Type.Optional(Type.Number({ minimum: 0, description: "How long the poll is open." })),
          }
        : {}),
      dryRun: flag("Only say where it would go."),
      bestEffort: flag("With several targets: go on after a failure."),
    },
    { additionalProperties: false },
  );

interface Args {
  action?: Action;
  channel?: string;
  accountId?: string;
  target?: string;
  targets?: string[];
  threadId?: string;
  message?: string;
  media?: string;
  mediaUrls?: string[];
  buffer?: string;
  filename?: string;
  contentType?: string;
  caption?: string;
  replyTo?: string;
  asVoice?: boolean;
  silent?: boolean;
  gifPlayback?: boolean;
  messageId?: string;
  emoji?: string;
  remove?: boolean;
  pollQuestion?: string;
  pollOption?: string[];
  pollMulti?: boolean;
  pollDurationHours?: number;
  dryRun?: boolean;
  bestEffort?: boolean;
}

interface Address {
  channel?: string;
  accountId?: string;
  threadId?: string;
  to: string;
}

interface Place {
  channel: string;
  accountId: string;
  target: Target;
  /** Another conversation than the one this run answers. */
  elsewhere: boolean;
}

export function messageTool(options: MessageToolOptions): Tool {
  const made = new Map<string, ReturnType<typeof paramsFor>>();
  return tool({
    name: "message",
    description:
      "Sends messages through chat channels, or reacts to, edits and deletes them. The answer of this turn is delivered by itself: use this for anything else.",
    // Only what some configured channel can do is offered; what is configured may change while the gateway runs.
    get params() {
      const known = options.capabilities();
      const can: Record<Action, boolean> = {
        send: true,
        poll: known.some(({ polls }) => polls),
        react: known.some(({ reactions }) => reactions),
        edit: known.some(({ edit }) => edit),
        delete: known.some((one) => one.delete),
      };
      const actions = everyAction.filter((action) => can[action]);
      const name = actions.join(" ");
      const params = made.get(name) ?? paramsFor(actions);
      made.set(name, params);
      return params;
    },
    effects: true,
    available: () => options.capabilities().length > 0,
    run: (args, context) => new MessageCall(options, args as Args, context).run(),
  });
}

class MessageCall {
  readonly #o: MessageToolOptions;
  readonly #args: Args;
  readonly #context: ToolContext;
  /** Where the answer of this run goes. */
  readonly #here: ReplyRoute | undefined;
  /** The chat it works for, whose limits hold: also where a run of that chat started this one. */
  readonly #chat: ReplyRoute | undefined;

  constructor(options: MessageToolOptions, args: Args, context: ToolContext) {
    this.#o = options;
    this.#args = args;
    this.#context = context;
    this.#here = options.agents.routeOf(context.runId);
    this.#chat = options.agents.chatOf(context.runId);
  }

  async run(): Promise<ToolResult> {
    const addresses = this.#addresses();
    const done: string[] = [];
    let failed = false;
    for (const address of addresses) {
      const place = this.#place(address);
      if (this.#args.dryRun) {
        done.push(`Would go to ${shown(place)}.`);
        continue;
      }
      try {
        done.push(await this.#act(address, place));
      } catch (error) {
        if (addresses.length === 1 || !(error instanceof GatewayError)) throw error;
        failed = true;
        done.push(`${shown(place)}: ${error.message}`);
        if (!this.#args.bestEffort) break;
      }
    }
    return failed ? errorResult(done.join("\n")) : textResult(done.join("\n"));
  }

  #addresses(): Address[] {
    const { target, targets = [], channel, accountId, threadId } = this.#args;
    const named = [...(target ? [target] : []), ...targets];
    if (named.length > 1 && !this.#o.config.current.tools.message.broadcast.enabled)
      throw new GatewayError("invalid", "Sending to several targets is off (tools.message.broadcast.enabled).");
    const more = {
      ...(channel ? { channel: channel.trim().toLowerCase() } : {}),
      ...(accountId ? { accountId } : {}),
      ...(threadId ? { threadId } : {}),
    };
    if (named.length > 0) return named.map((to) => ({ ...this.#usual(), ...more, to }));
    const here = this.#hereAddress();
    if (!here || (more.channel && more.channel !== here.channel))
      throw new GatewayError("invalid", "Say to whom: this run does not belong to a conversation of that channel.");
    return [{ ...here, ...more }];
  }

  /** Channel and account that are meant when only a target is named. */
  #usual(): Partial<Address> {
    const here = this.#hereAddress();
    if (!here?.channel || (this.#args.channel && this.#args.channel.trim().toLowerCase() !== here.channel)) return {};
    return { channel: here.channel, ...(here.accountId ? { accountId: here.accountId } : {}) };
  }

  #hereAddress(): Address | undefined {
    if (this.#here) {
      const { channel, accountId, chatId, threadId } = this.#here;
      return { channel, accountId, to: chatId, ...(threadId ? { threadId } : {}) };
    }
    const session = this.#o.sessions.get(this.#context.sessionKey);
    if (!session?.lastChannel || session.lastChannel === "webchat" || !session.lastTo) return undefined;
    return {
      channel: session.lastChannel,
      to: session.lastTo,
      ...(session.lastAccountId ? { accountId: session.lastAccountId } : {}),
      ...(session.lastThreadId ? { threadId: session.lastThreadId } : {}),
    };
  }

  /** Resolves an address, and refuses conversations this one may not reach (`tools.message.crossContext`). */
  #place(address: Address): Place {
    const { entry, runner, target } = this.#o.sends.resolve(address);
    const here = this.#chat;
    const elsewhere =
      here !== undefined &&
      !(here.channel === entry.id && here.accountId === runner.accountId && here.chatId === target.chatId);
    if (here && elsewhere) {
      const { allowCrossContextSend, crossContext } = this.#o.config.current.tools.message;
      const across = here.channel !== entry.id;
      const allowed =
        allowCrossContextSend || (across ? crossContext.allowAcrossProviders : crossContext.allowWithinProvider);
      if (!allowed) {
        const key = across ? "allowAcrossProviders" : "allowWithinProvider";
        throw new GatewayError(
          "forbidden",
          `From this conversation ${shown({ channel: entry.id, target })} may not be written to (tools.message.crossContext.${key}).`,
        );
      }
    }
    return { channel: entry.id, accountId: runner.accountId, target, elsewhere };
  }

  async #act(address: Address, place: Place): Promise<string> {
    const { action = "send", messageId, emoji, remove } = this.#args;
    const { agentId, sessionKey, workspace } = this.#context;
    const sender = { principal: `agent:${agentId}`, owner: false, sessionKey, workspace };
    if (action === "poll") return this.#poll(address, place, sender);
    if (action === "send") return this.#send(address, place, sender);
    if (!messageId) throw new GatewayError("invalid", `${action} needs messageId.`);
    const message = this.#args.message;
    await this.#o.sends.act({
      action,
      ...address,
      messageId,
      ...(emoji === undefined ? {} : { emoji }),
      ...(remove ? { remove } : {}),
      ...(message ? { message } : {}),
    });
    return `Done: ${action} on ${messageId} in ${shown(place)}.`;
  }

  async #send(address: Address, place: Place, sender: Sender): Promise<string> {
    const { media, mediaUrls = [], buffer, filename, contentType, replyTo, asVoice, silent, gifPlayback } = this.#args;
    const said = this.#args.message ?? this.#args.caption ?? "";
    const sources = [...(media ? [media] : []), ...mediaUrls];
    const result = await this.#o.sends.send(
      {
        ...address,
        message: place.elsewhere ? this.#marked(said) : said,
        idempotencyKey: `tool:${this.#o.world.uuid()}`,
        agentId: this.#context.agentId,
        ...(sources.length > 0 ? { mediaUrls: sources } : {}),
        ...(replyTo ? { replyTo } : {}),
        ...(asVoice ? { asVoice } : {}),
        ...(silent ? { silent } : {}),
        ...(gifPlayback ? { gifPlayback } : {}),
        ...(place.elsewhere ? {} : { sessionKey: this.#context.sessionKey }),
      },
      buffer === undefined ? sender : { ...sender, attached: [{ base64: buffer, fileName: filename, contentType }] },
      this.#context.signal,
    );
    const { channel, accountId, target } = place;
    const chat = echoChat(channel, accountId, target.chatId);
    this.#o.echoes.sentByTool(this.#context.runId, chat, said, target.threadId);
    return `Sent to ${shown(place)}, message id ${result.messageId}.`;
  }

  async #poll(address: Address, place: Place, sender: Sender): Promise<string> {
    const { pollQuestion, pollOption = [], pollMulti, pollDurationHours, silent } = this.#args;
    if (!pollQuestion || pollOption.length < 2)
      throw new GatewayError("invalid", "A poll needs pollQuestion and at least two pollOption.");
    const result = await this.#o.sends.poll(
      {
        ...address,
        question: pollQuestion,
        options: pollOption,
        maxSelections: pollMulti ? pollOption.length : 1,
        idempotencyKey: `tool:${this.#o.world.uuid()}`,
        ...(pollDurationHours ? { durationSeconds: Math.max(1, Math.round(pollDurationHours * 3_600)) } : {}),
        ...(silent ? { silent } : {}),
      },
      sender,
      this.#context.signal,
    );
    return `Poll sent to ${shown(place)}, message id ${result.messageId}.`;
  }

  /** Says where a message of another conversation comes from. */
  #marked(said: string): string {
    const { marker } = this.#o.config.current.tools.message.crossContext;
    if (!marker.enabled || said === "") return said;
    const origin = (template: string) => template.replaceAll("{channel}", this.#chat?.channel ?? "");
    return `${origin(marker.prefix)}${said}${origin(marker.suffix)}`;
  }
}

const shown = ({ channel, target }: Pick<Place, "channel" | "target">): string => `${channel}:${target.chatId}`;
