/** `message …`: everything goes through the gateway; when it is down nothing is sent and nothing will be (lifecycle.md §14.7). */
import { UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { chosenChannel, labelOf } from "./channel-names.ts";
import { record, textOf, withGateway } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";

type Params = Record<string, unknown>;

export async function send(context: Context): Promise<number> {
  const { options } = context;
  const to = destination(context);
  const message = options.text("message") ?? "";
  const media = options.all("media");
  if (!message.trim() && media.length === 0) throw new UsageError("Message (--message) or --media is required");
  return deliver(context, "send", {
    to,
    ...(message ? { message } : {}),
    ...(media.length > 0 ? { mediaUrls: media.map((source) => absolute(source, context)) } : {}),
    ...text(context, "replyTo", "reply-to"),
    ...(options.has("gif-playback") ? { gifPlayback: true } : {}),
    ...(options.has("as-voice") ? { asVoice: true } : {}),
  });
}

export async function poll(context: Context): Promise<number> {
  const { options } = context;
  const to = destination(context);
  const question = options.text("poll-question") ?? options.text("message");
  if (!question?.trim()) throw new UsageError("Question (--poll-question) is required");
  const choices = options.all("poll-option");
  if (choices.length < 2 || choices.length > 12) throw new UsageError("Give 2 to 12 options (--poll-option)");
  const hours = options.integer("poll-duration-hours");
  return deliver(context, "poll", {
    to,
    question,
    options: choices,
    ...(options.has("poll-multi") ? { maxSelections: choices.length } : {}),
    ...(hours === undefined ? {} : { durationHours: hours }),
  });
}

export async function react(context: Context): Promise<number> {
  const { options } = context;
  const emoji = options.text("emoji");
  const remove = options.has("remove");
  if (!emoji && !remove) throw new UsageError("Emoji (--emoji) or --remove is required");
  await act(context, "react", {
    ...(emoji ? { emoji } : {}),
    ...(remove ? { remove: true } : {}),
    ...text(context, "participant", "participant"),
    ...(options.has("from-me") ? { fromMe: true } : {}),
  });
  if (!context.json)
    context.print(
      remove ? `✅ Reaction removed: ${clean(emoji ?? "")}`.trimEnd() : `✅ Reaction added: ${clean(emoji ?? "")}`,
    );
  return 0;
}

export async function edit(context: Context): Promise<number> {
  const message = context.options.text("message");
  if (!message?.trim()) throw new UsageError("Message (--message) is required");
  await act(context, "edit", { message });
  if (!context.json) context.print("✅ Message changed.");
  return 0;
}

export async function remove(context: Context): Promise<number> {
  await act(context, "delete", {});
  if (!context.json) context.print("✅ Message deleted.");
  return 0;
}

function destination({ options }: Context): string {
  const to = options.text("target");
  if (!to?.trim()) throw new UsageError("Target (--target) is required");
  return to;
}

/** One option as a field, when it was given. */
function text({ options }: Context, field: string, option: string): Params {
  const value = options.text(option);
  return value === undefined ? {} : { [field]: value };
}

/** A path as the gateway, whose directory is another, has to read it. */
function absolute(source: string, { io }: Context): string {
  if (/^(https?|file):/iu.test(source) || source.startsWith("/") || source.startsWith("~")) return source;
  return `${io.cwd()}/${source}`;
}

async function common(context: Context): Promise<Params & { channel: string }> {
  return {
    channel: await chosenChannel(context),
    ...text(context, "accountId", "account"),
    ...text(context, "threadId", "thread-id"),
  };
}

async function deliver(context: Context, action: "send" | "poll", given: Params): Promise<number> {
  const { io, options } = context;
  const where = await common(context);
  const params = { ...given, ...where, ...(options.has("silent") ? { silent: true } : {}) };
  const envelope = { action, channel: where.channel, dryRun: options.has("dry-run") };
  if (options.has("dry-run")) {
    if (context.json) context.printJson({ ...envelope, handledBy: "dry-run", payload: params });
    else context.print(`Would ${action} by ${labelOf(where.channel)}:`, JSON.stringify(params, null, 2));
    return 0;
  }
  const idempotencyKey = options.text("idempotency-key") ?? io.uuid();
  if (options.has("verbose")) context.note(`Idempotency key: ${idempotencyKey}`);
  const payload = await withGateway(context, ({ client, timeoutMs }) =>
    client.callAny(action, { ...params, idempotencyKey }, { timeoutMs }),
  );
  if (context.json) context.printJson({ ...envelope, handledBy: "core", payload });
  else
    context.print(
      `✅ ${action === "send" ? "Sent" : "Poll sent"} via ${labelOf(where.channel)}. Message ID: ${clean(textOf(record(payload).messageId))}`,
    );
  return 0;
}

async function act(context: Context, action: "react" | "edit" | "delete", given: Params): Promise<void> {
  const to = destination(context);
  const messageId = context.options.text("message-id");
  if (!messageId) throw new UsageError("Message id (--message-id) is required");
  const where = await common(context);
  const payload = await withGateway(context, ({ client }) =>
    client.callAny("message.action", { action, to, messageId, ...where, ...given }),
  );
  if (context.json) context.printJson({ action, channel: where.channel, dryRun: false, handledBy: "core", payload });
}
