/** `channels list` and `channels status`. */
import { locateConfig } from "../config/locate.ts";
import { configuredChannels, labelOf } from "./channel-names.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { list as items, numberOf, record, textOf, withGateway } from "./rpc.ts";
import { clean, cleanLine } from "./terminal/clean.ts";
import { age } from "./terminal/time.ts";

/** Account ids of a channel as the document names them. */
export function accountIds(section: Readonly<Record<string, unknown>>): string[] {
  const ids = Object.keys(record(section.accounts));
  return ids.length === 0 ? ["default"] : ids;
}

export async function list(context: Context): Promise<number> {
  const { document } = await locateConfig(context.io);
  const channels = configuredChannels(document);
  const sections = channels.map((id) => [id, accountIds(record(record(document.channels)[id]))] as const);
  if (context.json) {
    context.printJson({ chat: Object.fromEntries(sections), auth: [] });
    return 0;
  }
  if (sections.length === 0) {
    const add = suggest(context.io.env, "channels add --channel telegram --token-file <path>");
    context.print(`No channels are configured. Add one: ${add}`);
    return 0;
  }
  for (const [id, accounts] of sections) context.print(`${labelOf(id)}: ${accounts.map(cleanLine).join(", ")}`);
  return 0;
}

export async function status(context: Context): Promise<number> {
  const { io, options } = context;
  const timeoutMs = options.integer("timeout", 10_000);
  const probe = options.has("probe");
  let answer: unknown;
  try {
    answer = await withGateway(context, ({ client }) =>
      client.callAny("channels.status", { probe, timeoutMs }, { timeoutMs: timeoutMs + 2_000 }),
    );
  } catch (error) {
    if (!(error instanceof CommandError) || error.extra["code"] !== undefined) throw error;
    return configOnly(context, error);
  }
  if (context.json) {
    context.printJson(answer);
    return 0;
  }
  const all = record(record(answer).channelAccounts);
  const labels = record(record(answer).channelLabels);
  const order = items(record(answer).channelOrder).map(textOf);
  if (order.length === 0) {
    context.print(`No channels are configured. Add one: ${suggest(io.env, "channels add")}`);
    return 0;
  }
  for (const id of order)
    for (const account of items(all[id]).map(record))
      context.print(...accountLines(textOf(labels[id]) || labelOf(id), account, io.now()));
  return 0;
}

function accountLines(label: string, account: Readonly<Record<string, unknown>>, now: number): string[] {
  const id = textOf(account.accountId);
  const self = record(account.self);
  const who = textOf(self.username) ? `@${textOf(self.username)}` : textOf(self.e164);
  const since = (at: unknown) => {
    const ms = numberOf(at);
    return ms === undefined ? undefined : age(now - ms);
  };
  const facts = [
    textOf(account.state) || (account.connected === true ? "open" : "off"),
    who,
    account.linked === false ? "not linked" : "",
    account.connected === true && account.receiving === false ? "connected, but nothing arrives" : "",
    since(account.lastInboundAt) ? `in ${since(account.lastInboundAt)}` : "",
    since(account.lastOutboundAt) ? `out ${since(account.lastOutboundAt)}` : "",
    numberOf(record(account.outbox).queued) ? `${numberOf(record(account.outbox).queued)} waiting to be sent` : "",
    numberOf(record(account.outbox).unknown) ? `${numberOf(record(account.outbox).unknown)} of unknown fate` : "",
  ].filter(Boolean);
  const probe = record(account.probe);
  const lines = [`${label}${id === "default" ? "" : ` ${cleanLine(id)}`}: ${cleanLine(facts.join(", "))}`];
  const error = textOf(account.lastError);
  if (error) lines.push(`  ${clean(error)}`);
  if (textOf(account.fix)) lines.push(`  Next: ${clean(textOf(account.fix))}`);
  // What the lines above say already is not said again.
  const told = new Set([error, textOf(account.state), textOf(account.fix)]);
  for (const issue of items(account.issues).map(record)) {
    const [message, fix] = [textOf(issue.message), textOf(issue.fix)];
    if (message && !told.has(message)) lines.push(`  ${clean(message)}`);
    if (fix && !told.has(fix)) lines.push(`  Next: ${clean(fix)}`);
  }
  if (account.probe !== undefined)
    lines.push(
      probe.ok === true
        ? `  Probe: ok (${String(probe.elapsedMs)} ms)`
        : `  Probe: failed - ${clean(textOf(probe.error) || "no answer")}`,
    );
  return lines;
}

/** The gateway cannot be asked: what the config says, marked as such. */
async function configOnly(context: Context, error: CommandError): Promise<number> {
  const { document } = await locateConfig(context.io);
  const channels = configuredChannels(document);
  const accounts = Object.fromEntries(
    channels.map((id) => {
      const section = record(record(document.channels)[id]);
      const rows = accountIds(section).map((accountId) => ({
        accountId,
        enabled: section.enabled !== false && record(record(section.accounts)[accountId]).enabled !== false,
        configured: true,
        running: false,
      }));
      return [id, rows];
    }),
  );
  if (context.json) {
    context.printJson({
      ts: context.io.now(),
      configOnly: true,
      note: error.message.split("\n")[0],
      channelOrder: channels,
      channelLabels: Object.fromEntries(channels.map((id) => [id, labelOf(id)])),
      channels: {},
      channelAccounts: accounts,
      channelDefaultAccountId: Object.fromEntries(
        channels.map((id) => [id, accounts[id]?.[0]?.accountId ?? "default"]),
      ),
    });
    return 0;
  }
  context.note(error.message);
  for (const id of channels)
    for (const account of accounts[id] ?? [])
      context.print(
        `${labelOf(id)} ${cleanLine(account.accountId)}: ${account.enabled ? "configured" : "disabled"} (from the config only)`,
      );
  return 0;
}
