/** The channels the command line knows without loading any, and which of them a config names. */
import { locateConfig } from "../config/locate.ts";
import { UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { record } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";

const labels: Readonly<Record<string, string>> = { whatsapp: "WhatsApp", telegram: "Telegram" };
const aliases: Readonly<Record<string, string>> = { wa: "whatsapp", tg: "telegram" };

export const labelOf = (id: string): string => labels[id] ?? id;

/** Throws UsageError that lists the known ones. */
export function knownChannel(name: string): string {
  const wanted = name.trim().toLowerCase();
  const id = aliases[wanted] ?? wanted;
  if (labels[id]) return id;
  throw new UsageError(`Unknown channel: ${clean(name)}`, `There are: ${Object.keys(labels).join(", ")}`);
}

/** Ids the config names, in the order above. */
export const configuredChannels = (document: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(labels).filter((id) => record(document.channels)[id] !== undefined);

/** `--channel`, else the only configured one. Throws UsageError when there is none, or a choice. */
export async function chosenChannel(context: Context): Promise<string> {
  const named = context.options.text("channel");
  if (named !== undefined) return knownChannel(named);
  const { document } = await locateConfig(context.io);
  const configured = configuredChannels(document);
  const [only] = configured;
  if (only === undefined)
    throw new UsageError(
      "Channel is required (no configured channels detected).",
      `Add one: ${suggest(context.io.env, "channels add --channel telegram --token-file <path>")}`,
    );
  if (configured.length > 1)
    throw new UsageError(`Several channels are configured: ${configured.join(", ")}. Choose one with --channel`);
  return only;
}
