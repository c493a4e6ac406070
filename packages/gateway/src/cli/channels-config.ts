/** `channels add` and `channels remove`: edits of the config file; a running gateway takes them over by itself. */
import { readFile } from "node:fs/promises";
import { locateConfig } from "../config/locate.ts";
import { displayPath, expandHome } from "../kernel/paths.ts";
import { chosenChannel, configuredChannels, knownChannel, labelOf } from "./channel-names.ts";
import { CommandError, UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { rooms } from "./rooms.ts";
import { record } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";

interface Edit {
  path: string[];
  value: unknown;
}

/** Keys of the base that belong to one account, and move with it when a second one comes. How the platform is reached from here
 *  (`proxy`, `apiRoot`) holds for the next one as well: it must not go around the proxy. */
const ownKeys = ["botToken", "tokenFile", "name", "webhookUrl", "webhookSecret", "webhookPath"];

export async function add(context: Context): Promise<number> {
  const { io, options } = context;
  const channel = knownChannel(options.text("channel") ?? (await askChannel(context)));
  const account = accountOf(context);
  const { document } = await locateConfig(io);
  const section = record(record(document.channels)[channel]);
  const values = channel === "telegram" ? await telegramValues(context, account, section) : whatsappValues(context);
  const several = account !== "default" || Object.keys(record(section.accounts)).length > 0;
  const base = ["channels", channel, ...(several ? ["accounts", account] : [])];
  const edits: Edit[] = [...(account === "default" ? [] : moveBase(channel, section))];
  const allow = options
    .text("dm-allowlist")
    ?.split(",")
    .map((id) => id.trim())
    .filter(Boolean);
  const given = { enabled: true, ...values, ...(allow ? { dmPolicy: "allowlist", allowFrom: allow } : {}) };
  const known = several ? record(record(section.accounts)[account]) : section;
  if (Object.keys(known).length === 0) edits.push({ path: base, value: given });
  else for (const [key, value] of Object.entries(given)) edits.push({ path: [...base, key], value });
  const path = await write(context, edits);
  const next =
    channel === "whatsapp"
      ? `Link it: ${suggest(io.env, `channels login${account === "default" ? "" : ` --account ${account}`}`)}`
      : `See how it is: ${suggest(io.env, "channels status --probe")}`;
  if (context.json) context.printJson({ ok: true, channel, accountId: account, file: path });
  else context.print(`Added ${labelOf(channel)} account ${clean(account)} to ${displayPath(path, io)}.`, next);
  return 0;
}

export async function remove(context: Context): Promise<number> {
  const { io, options } = context;
  const channel = await chosenChannel(context);
  const { document } = await locateConfig(io);
  if (!configuredChannels(document).includes(channel)) throw new CommandError(`${labelOf(channel)} is not configured.`);
  const section = record(record(document.channels)[channel]);
  const accounts = record(section.accounts);
  const account = accountOf(context);
  const listed = Object.keys(accounts).length > 0;
  if (listed ? accounts[account] === undefined : account !== "default") {
    const known = listed ? Object.keys(accounts) : ["default"];
    throw new CommandError(`${labelOf(channel)} has no account "${clean(account)}" (there is: ${known.join(", ")}).`);
  }
  const base = ["channels", channel, ...(listed ? ["accounts", account] : [])];
  const gone = options.has("delete");
  const path = await write(context, [
    gone ? { path: base, value: undefined } : { path: [...base, "enabled"], value: false },
  ]);
  if (context.json) context.printJson({ ok: true, channel, accountId: account, deleted: gone, file: path });
  else
    context.print(
      `${gone ? "Took" : "Disabled"} ${labelOf(channel)} account ${clean(account)}${gone ? " out of" : " in"} ${displayPath(path, io)}.`,
    );
  return 0;
}

function accountOf({ options }: Context): string {
  const account = options.text("account")?.trim().toLowerCase() ?? "default";
  if (!/^[a-z0-9][a-z0-9_-]{0,31}$/u.test(account))
    throw new UsageError(`Invalid --account "${clean(account)}": use a-z, 0-9, _ and -, 32 characters at most`);
  return account;
}

/** A second account: what the base says about the only one becomes `accounts.default`. */
function moveBase(channel: string, section: Readonly<Record<string, unknown>>): Edit[] {
  if (Object.keys(section).length === 0 || record(section.accounts)["default"] !== undefined) return [];
  if (Object.keys(record(section.accounts)).length > 0) return [];
  const own = ownKeys.filter((key) => section[key] !== undefined);
  return [
    {
      path: ["channels", channel, "accounts", "default"],
      value: Object.fromEntries(own.map((key) => [key, section[key]])),
    },
    ...own.map((key) => ({ path: ["channels", channel, key], value: undefined })),
  ];
}

async function telegramValues(context: Context, account: string, section: Readonly<Record<string, unknown>>) {
  const { options, io } = context;
  const name = options.text("name");
  const named = name ? { name } : {};
  const tokenFile = options.text("token-file");
  if (options.has("use-env")) {
    if (account !== "default") throw new UsageError("--use-env is for the default account only");
    return named;
  }
  if (tokenFile !== undefined) {
    const path = expandHome(tokenFile, io);
    const text = await readFile(path, "utf8").catch(() => {
      throw new CommandError(`The token file ${path} cannot be read.`);
    });
    checkToken(text.trim());
    return { ...named, tokenFile };
  }
  const token = (options.text("token") ?? options.text("bot-token") ?? (await askToken(context)))?.trim();
  if (!token) {
    if (section.botToken !== undefined || section.tokenFile !== undefined) return named;
    throw new UsageError(
      "Telegram needs --token-file <path>, --token <token> or --use-env",
      "Make a bot with @BotFather in Telegram to get a token",
    );
  }
  checkToken(token);
  return { ...named, botToken: token };
}

/** The token itself is never shown again. */
function checkToken(token: string): void {
  if (!/^\d{3,20}:[\w-]{20,100}$/u.test(token))
    throw new CommandError("That is no Telegram bot token: it looks like 123456789:AA… and comes from @BotFather.");
}

function whatsappValues({ options }: Context): Record<string, unknown> {
  if (options.has("token") || options.has("token-file") || options.has("bot-token"))
    throw new UsageError("WhatsApp has no token; it is linked with: openclaw channels login");
  const name = options.text("name");
  const authDir = options.text("auth-dir");
  return { ...(name ? { name } : {}), ...(authDir ? { authDir } : {}) };
}

async function askChannel(context: Context): Promise<string> {
  if (!context.io.ask || context.json) throw new UsageError("Channel (--channel) is required: whatsapp or telegram");
  const { askOne } = await rooms.prompts.load();
  return askOne({
    type: "select",
    message: "Which channel?",
    options: [
      { value: "telegram", label: "Telegram", hint: "a bot; needs a token of @BotFather" },
      { value: "whatsapp", label: "WhatsApp", hint: "linked like WhatsApp Web" },
    ],
  });
}

async function askToken(context: Context): Promise<string | undefined> {
  if (!context.io.ask || context.json) return undefined;
  const { askOne } = await rooms.prompts.load();
  return askOne({ type: "text", sensitive: true, message: "Token of the bot (from @BotFather)" });
}

async function write(context: Context, edits: Edit[]): Promise<string> {
  const config = await locateConfig(context.io);
  const { editConfigFile } = await rooms.config.load();
  const { declared } = await rooms.sections.load();
  try {
    return (await editConfigFile(config.path, edits, await context.io.world(), declared)).path;
  } catch (error) {
    if (error instanceof Error && error.name === "GatewayError")
      throw new CommandError(error.message, {}, { cause: error });
    throw error;
  }
}
