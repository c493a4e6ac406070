/** `pairing …`: who may write direct messages (channels.md §2.2). The gateway decides; nothing is edited behind its back. */
import { CommandError, UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { knownChannel, labelOf } from "./channel-names.ts";
import { list as items, numberOf, record, textOf, withGateway } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";
import { table } from "./terminal/table.ts";
import { age } from "./terminal/time.ts";

export async function list(context: Context): Promise<number> {
  const { io, options } = context;
  const named = options.text("channel") ?? context.arguments[0];
  const channel = named === undefined ? undefined : knownChannel(named);
  const answer = await withGateway(context, ({ client }) =>
    client.callAny("pairing.list", { ...(channel ? { channel } : {}), ...accountOf(context) }),
  );
  const requests = items(record(answer).requests).map(record);
  if (context.json) {
    context.printJson(answer);
    return 0;
  }
  if (requests.length === 0) {
    context.print(`No pending ${channel ? `${channel} ` : ""}pairing requests.`);
    return 0;
  }
  const rows = requests.map((request) => [
    textOf(request.code),
    labelOf(textOf(request.channel)),
    textOf(request.id),
    nameOf(record(request.meta)),
    age(io.now() - (numberOf(request.createdAt) ?? io.now())),
  ]);
  context.print(...table(io, ["Code", "Channel", "Sender", "Name", "Age"], rows));
  return 0;
}

export async function approve(context: Context): Promise<number> {
  const answer = record(
    await decide(context, "pairing.approve", context.options.has("notify") ? { notify: true } : {}),
  );
  if (context.json) context.printJson(answer);
  else context.print(`Approved ${labelOf(textOf(answer.channel))} sender ${clean(textOf(answer.id))}.`);
  return 0;
}

export async function reject(context: Context): Promise<number> {
  const answer = record(await decide(context, "pairing.reject", {}));
  if (context.json) context.printJson(answer);
  else context.print(`Dropped the request of ${clean(textOf(answer.id))}.`);
  return 0;
}

/** `approve <channel> <code>`, `approve <code> --channel x`, or `approve <code>` when only one channel has that code. */
async function decide(context: Context, method: string, more: Record<string, unknown>): Promise<unknown> {
  const [first = "", second] = context.arguments;
  const named = context.options.text("channel") ?? (second === undefined ? undefined : first);
  const code = second ?? first;
  const given = named === undefined ? undefined : knownChannel(named);
  return withGateway(context, async ({ client }) => {
    const channel = given ?? (await channelOf(code, () => client.callAny("pairing.list", {})));
    return client.callAny(method, { channel, code, ...accountOf(context), ...more });
  });
}

async function channelOf(code: string, ask: () => Promise<unknown>): Promise<string> {
  const requests = items(record(await ask()).requests).map(record);
  const mine = requests.filter((request) => textOf(request.code).toLowerCase() === code.trim().toLowerCase());
  const channels = [...new Set(mine.map((request) => textOf(request.channel)))];
  const [only] = channels;
  if (only === undefined) throw new CommandError(`No pending pairing request has the code ${clean(code)}.`);
  if (channels.length > 1)
    throw new UsageError(`Several channels have that code: ${channels.join(", ")}. Add --channel`);
  return only;
}

function accountOf({ options }: Context): Record<string, unknown> {
  const accountId = options.text("account");
  return accountId === undefined ? {} : { accountId };
}

const nameOf = (meta: Readonly<Record<string, unknown>>): string =>
  textOf(meta.name) || [textOf(meta.firstName), textOf(meta.lastName)].join(" ").trim() || textOf(meta.username) || "-";
