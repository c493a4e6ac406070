/** `channels login` and `channels logout`. Only the gateway ever opens the connection, so both need it. */
import { locateConfig } from "../config/locate.ts";
import { RequestError } from "@openclaw/client";
import { displayPath } from "../kernel/paths.ts";
import { knownChannel, labelOf } from "./channel-names.ts";
import { CommandError } from "./command.ts";
import type { Context } from "./command.ts";
import { rooms } from "./rooms.ts";
import { numberOf, record, textOf, withGateway } from "./rpc.ts";
import type { Connected } from "./rpc.ts";
import { clean } from "./terminal/clean.ts";

const startTimeoutMs = 45_000;
const waitMs = 60_000;
const adoptTries = 20;
const adoptEveryMs = 250;

export async function login(context: Context): Promise<number> {
  const { options } = context;
  const channel = knownChannel(options.text("channel") ?? "whatsapp");
  const phone = options.text("phone");
  const params = {
    channel,
    ...accountOf(context),
    ...(phone === undefined ? {} : { phone }),
    ...(options.has("force") ? { force: true } : {}),
  };
  return withGateway(context, async (connected) => {
    let step = record(await begin(context, connected, channel, params));
    let shown = show(context, step);
    if (shown === undefined) {
      context.print(clean(textOf(step.message)));
      return /already linked/u.test(textOf(step.message)) ? 0 : 1;
    }
    for (;;) {
      step = record(
        await connected.client.callAny(
          "web.login.wait",
          { channel, ...accountOf(context), shown, timeoutMs: waitMs },
          { timeoutMs: waitMs + 10_000 },
        ),
      );
      if (step.connected === true) {
        context.print(`✅ ${clean(textOf(step.message))}`);
        return 0;
      }
      if (step.done === true) throw new CommandError(clean(textOf(step.message)));
      shown = show(context, step) ?? shown;
    }
  });
}

/** The text of the code that is on the screen now; undefined when there was none. */
function show(context: Context, step: Readonly<Record<string, unknown>>): string | undefined {
  const { io } = context;
  const code = textOf(step.code);
  const drawn = textOf(step.qrTerminal);
  if (!code && !drawn) return undefined;
  const expiresAt = numberOf(step.expiresAt);
  const left =
    expiresAt === undefined ? "" : ` (valid for ${Math.max(0, Math.round((expiresAt - io.now()) / 1_000))} s)`;
  if (drawn) context.print("", drawn);
  context.print(`${clean(textOf(step.message))}${left}`);
  return code || textOf(step.qrText);
}

/** Begins the login. A channel the config does not name yet is added first: that is what the command is for. */
async function begin(
  context: Context,
  { client }: Connected,
  channel: string,
  params: Record<string, unknown>,
): Promise<unknown> {
  const start = () => client.callAny("web.login.start", params, { timeoutMs: startTimeoutMs });
  try {
    return await start();
  } catch (error) {
    if (!notConfigured(error)) throw error;
  }
  const config = await locateConfig(context.io);
  const { editConfigFile } = await rooms.config.load();
  const { declared } = await rooms.sections.load();
  const world = await context.io.world();
  const { path } = await editConfigFile(config.path, [{ path: ["channels", channel], value: {} }], world, declared);
  context.note(`Added ${labelOf(channel)} to ${displayPath(path, context.io)}.`);
  for (let tries = 0; ; tries++) {
    await new Promise<void>((resolve) => void context.io.after(adoptEveryMs, resolve));
    try {
      return await start();
    } catch (error) {
      if (!notConfigured(error) || tries >= adoptTries) throw error;
    }
  }
}

const notConfigured = (error: unknown): boolean =>
  error instanceof RequestError && record(error.details).code === "CHANNEL_NOT_CONFIGURED";

export async function logout(context: Context): Promise<number> {
  const channel = knownChannel(context.options.text("channel") ?? "whatsapp");
  const answer = record(
    await withGateway(context, ({ client, timeoutMs }) =>
      client.callAny("channels.logout", { channel, ...accountOf(context) }, { timeoutMs }),
    ),
  );
  if (context.json) context.printJson(answer);
  else if (answer.cleared === true)
    context.print(
      `Logged out of ${labelOf(channel)}.${answer.loggedOut === true ? "" : " The phone could not be told; remove the device there too."}`,
    );
  else context.print(`${labelOf(channel)} was not linked.`);
  return 0;
}

function accountOf({ options }: Context): Record<string, unknown> {
  const accountId = options.text("account");
  return accountId === undefined ? {} : { accountId };
}
