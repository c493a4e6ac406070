/** `devices`: who waits, who is paired, and their tokens. */
import { UsageError } from "./command.ts";
import type { Context } from "./command.ts";
import { suggest } from "./profile.ts";
import { list as items, numberOf, record, textOf, withGateway } from "./rpc.ts";
import { cleanLine } from "./terminal/clean.ts";
import { age } from "./terminal/time.ts";
import { table } from "./terminal/table.ts";

const ask = (context: Context, method: string, params: Record<string, unknown>): Promise<unknown> =>
  withGateway(context, ({ client }) => client.callAny(method, params));

export async function list(context: Context): Promise<number> {
  const { io } = context;
  const answer = await ask(context, "device.pair.list", {});
  if (context.json) {
    context.printJson(answer);
    return 0;
  }
  const since = (at: unknown) => {
    const ms = numberOf(at);
    return ms === undefined ? "-" : age(io.now() - ms);
  };
  const pending = items(record(answer).pending).map(record);
  const paired = items(record(answer).paired).map(record);
  if (pending.length > 0) {
    const rows = pending.map((request) => [
      textOf(request.requestId),
      textOf(request.displayName) || textOf(request.deviceId).slice(0, 12),
      textOf(request.role),
      textOf(request.remoteIp) || "local",
      since(request.ts),
    ]);
    context.print(`Waiting (${pending.length})`, ...table(io, ["Request", "Device", "Role", "From", "Age"], rows));
  }
  if (paired.length > 0) {
    const rows = paired.map((device) => [
      textOf(device.displayName) || textOf(device.clientId),
      textOf(device.deviceId),
      items(device.roles).map(textOf).join(", ") || textOf(device.role),
      items(device.scopes).map(textOf).join(", "),
      tokenStates(device.tokens),
    ]);
    context.print(`Paired (${paired.length})`, ...table(io, ["Name", "Device", "Roles", "Scopes", "Tokens"], rows));
  }
  if (pending.length + paired.length === 0) context.print("No devices.");
  return 0;
}

function tokenStates(tokens: unknown): string {
  const states = items(tokens).map((item) => {
    const token = record(item);
    return `${textOf(token.role)}${token.revokedAtMs === undefined ? "" : " (revoked)"}`;
  });
  return states.join(", ") || "none";
}

async function decide(context: Context, method: string, done: string): Promise<number> {
  const [requestId = ""] = context.arguments;
  const answer = await ask(context, method, { requestId });
  if (context.json) context.printJson(answer);
  else {
    const deviceId = textOf(record(answer).deviceId) || textOf(record(record(answer).device).deviceId);
    context.print(`${done} ${cleanLine(deviceId || requestId)}`);
  }
  return 0;
}

export const approve = (context: Context): Promise<number> => decide(context, "device.pair.approve", "Approved");

export const reject = (context: Context): Promise<number> => decide(context, "device.pair.reject", "Rejected");

function deviceAndRole({ io, options }: Context): { deviceId: string; role: string } {
  const deviceId = options.text("device");
  const role = options.text("role");
  if (!deviceId || !role)
    throw new UsageError(`Pass --device <id> and --role <role>; see them with: ${suggest(io.env, "devices list")}`);
  return { deviceId, role };
}

export async function revoke(context: Context): Promise<number> {
  const params = deviceAndRole(context);
  const answer = await ask(context, "device.token.revoke", params);
  if (context.json) context.printJson(answer);
  else context.print(`Revoked ${cleanLine(params.role)} token of ${cleanLine(params.deviceId)}`);
  return 0;
}

export async function rotate(context: Context): Promise<number> {
  const params = deviceAndRole(context);
  const scopes = context.options.all("scope");
  const answer = await ask(context, "device.token.rotate", { ...params, ...(scopes.length > 0 ? { scopes } : {}) });
  if (context.json) context.printJson(answer);
  else {
    // The one place where the new token can be read; it is what the person asked for.
    const hidden = context.io.env.OPENCLAW_SHOW_SECRETS === "0";
    const token = hidden ? "(hidden)" : cleanLine(textOf(record(answer).token));
    context.print(`New ${cleanLine(params.role)} token of ${cleanLine(params.deviceId)}: ${token}`);
  }
  return 0;
}
