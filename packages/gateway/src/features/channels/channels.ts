/** All channels of this gateway: which there are, how they are, and who logs in. See `index.ts` for what the room guarantees. */
import { GatewayError, type MethodParams, type MethodResult } from "@openclaw/protocol";
import type { World } from "../../kernel/world.ts";
import type { LoginResult } from "./accounts/login.ts";
import type { AccountRunner } from "./accounts/runner.ts";
import type { ChannelAccount, LoginCode } from "./channel.ts";
import type { ChannelService } from "./channel-service.ts";
import { qrBlocks, qrPng } from "./login-picture.ts";
import { howToAdd } from "./sends.ts";
import { accountReport, channelSummary, type Counts, linkChannel, summaryLine } from "./status-report.ts";

const minCodeWaitMs = 5_000;
const maxCodeWaitMs = 30_000;
/** A login younger than this is shown again rather than begun anew. */
const reuseLoginMs = 3 * 60_000;
const loginWaitMs = 120_000;
const maxLoginWaitMs = 10 * 60_000;
/** An adapter that keeps its time answers first. */
const probeGraceMs = 500;

export class Channels {
  readonly services: readonly ChannelService[];
  readonly #world: World;
  readonly #counts: Counts;

  constructor(options: { world: World; services: readonly ChannelService[]; counts: Counts }) {
    this.services = options.services;
    this.#world = options.world;
    this.#counts = options.counts;
  }

  /** By id, case ignored; without a name the only configured one, else WhatsApp. */
  find(name?: string): ChannelService | undefined {
    const wanted = name?.trim().toLowerCase();
    if (wanted) return this.services.find(({ row }) => row.id === wanted || row.aliases.includes(wanted));
    const configured = this.configured();
    return configured.length === 1 ? configured[0] : this.services.find(({ row }) => row.id === "whatsapp");
  }

  configured(): ChannelService[] {
    return this.services.filter(({ configured }) => configured);
  }

  runner(channel: string, accountId: string): AccountRunner | undefined {
    return this.find(channel)?.runner(accountId);
  }

  notConfigured(service: ChannelService): GatewayError {
    return new GatewayError("invalid", howToAdd(service.row.id, service.row.label, this.#world), {
      details: { code: "CHANNEL_NOT_CONFIGURED", channel: service.row.id },
    });
  }

  // ---- what is asked

  /** `channels.status`. With `probe` the platforms are asked, all at once, within `timeoutMs`. */
  async status(params: MethodParams<"channels.status">): Promise<MethodResult<"channels.status">> {
    const only = params.channel === undefined ? undefined : this.#named(params.channel);
    const services = only ? [only] : this.configured();
    const timeoutMs = Math.max(1_000, params.timeoutMs ?? 10_000);
    const now = this.#world.now();
    const accounts = await Promise.all(
      services.map(async (service) => {
        const list = await Promise.all(
          service.runners().map(async (runner) => {
            const report = accountReport(service, runner, now, this.#counts);
            if (!params.probe || !runner.account) return report;
            return { ...report, probe: await this.#probe(runner.account, timeoutMs), lastProbeAt: this.#world.now() };
          }),
        );
        return [service.row.id, list] as const;
      }),
    );
    const each = <T>(value: (service: ChannelService) => T) =>
      Object.fromEntries(services.map((service) => [service.row.id, value(service)]));
    return {
      ts: now,
      channelOrder: services.map(({ row }) => row.id),
      channelLabels: each(({ row }) => row.label),
      channelDetailLabels: each(({ row }) => row.label),
      channelSystemImages: {},
      channelMeta: services.map(({ row }) => ({ id: row.id, label: row.label, detailLabel: row.label })),
      channels: each((service) => channelSummary(service, now, this.#counts)),
      channelAccounts: Object.fromEntries(accounts),
      channelDefaultAccountId: each((service) => service.defaultAccountId() ?? "default"),
    };
  }

  /** Whatever the adapter does, the answer is there in time. */
  async #probe(account: ChannelAccount, timeoutMs: number): Promise<Awaited<ReturnType<ChannelAccount["probe"]>>> {
    const asked = account.probe(timeoutMs).catch((error: unknown) => {
      return { ok: false, elapsedMs: 0, error: error instanceof Error ? error.message : String(error) };
    });
    const answer = await this.#within(timeoutMs + probeGraceMs, asked);
    return answer ?? { ok: false, elapsedMs: timeoutMs, error: `no answer within ${timeoutMs} ms` };
  }

  /** For `health`: synchronous and cheap. */
  health(): {
    channels: Record<string, Record<string, unknown>>;
    channelOrder: string[];
    channelLabels: Record<string, string>;
    linkChannel?: { id: string; label: string; linked: boolean; authAgeMs: number | null };
  } {
    const now = this.#world.now();
    const services = this.configured();
    const link = linkChannel(services, now, this.#counts);
    return {
      channels: Object.fromEntries(services.map((one) => [one.row.id, channelSummary(one, now, this.#counts)])),
      channelOrder: services.map(({ row }) => row.id),
      channelLabels: Object.fromEntries(services.map(({ row }) => [row.id, row.label])),
      ...(link ? { linkChannel: link } : {}),
    };
  }

  summaryLines(): string[] {
    const now = this.#world.now();
    return this.configured().map((service) => summaryLine(service, now, this.#counts));
  }

  // ---- logins

  /** `web.login.start`: the first code, or why there is none. */
  async loginStart(params: MethodParams<"web.login.start">): Promise<MethodResult<"web.login.start">> {
    const runner = this.#loginAccount(params);
    const linked = !runner.login && runner.account?.linked() === true;
    if (linked && !params.force) {
      const self = runner.facts.self;
      const who = self ? ` (${self.e164 ?? self.username ?? self.id})` : "";
      const { label } = runner.entry;
      if (runner.state !== "terminal") return { message: `${label} is already linked${who}. Say force to link again.` };
      // Blocked, or pushed out by another program: the link may be as good as before.
      await runner.restart();
      return { message: `${label} is already linked${who}, and connects again.` };
    }
    const digits = params.phone?.replace(/\D/gu, "");
    if (params.phone !== undefined && (digits ?? "").length < 7)
      throw new GatewayError("invalid", "invalid web.login.start params: phone must be a number with its country code");
    // Else the former device would stay in the phone's list.
    if (linked) await runner.logout();
    const old = runner.login;
    if (old && (params.force || this.#world.monotonic() - old.startedAt > reuseLoginMs)) await runner.cancelLogin();
    const login = await runner.beginLogin(digits ? { phone: digits } : {});
    const waitMs = Math.min(maxCodeWaitMs, Math.max(minCodeWaitMs, params.timeoutMs ?? maxCodeWaitMs));
    const code = await this.#within(waitMs, login.shown);
    if (code) return shown(code);
    const ended = await this.#within(0, login.ended);
    if (ended) return { message: ended.message };
    return { message: "No code came within the time. Look at the log of the gateway, and try again." };
  }

  /** `web.login.wait`: until connected, until the login ended, or until a newer code has to be shown. */
  async loginWait(
    params: MethodParams<"web.login.wait">,
    signal: AbortSignal,
  ): Promise<MethodResult<"web.login.wait">> {
    const runner = this.#loginAccount(params);
    const { login } = runner;
    if (!login) {
      const connected = runner.state === "open";
      const message = connected ? "Connected." : "No login is in progress. Start one first.";
      return { connected, message, done: true };
    }
    const waitMs = Math.min(maxLoginWaitMs, Math.max(1_000, params.timeoutMs ?? loginWaitMs));
    const newer = params.shown === undefined ? undefined : login.codeAfter(params.shown);
    const gone = new Promise<undefined>((resolve) =>
      signal.addEventListener("abort", () => resolve(undefined), { once: true }),
    );
    type Next = { ended: LoginResult } | { code: LoginCode } | undefined;
    const ended = login.ended.then((result): Next => ({ ended: result }));
    const changed = newer?.then((code): Next | Promise<Next> => (code ? { code } : ended));
    const first = await this.#within(waitMs, Promise.race([ended, ...(changed ? [changed] : []), gone]));
    if (first && "ended" in first) return { ...first.ended, done: true };
    if (first && "code" in first) return { connected: false, ...shown(first.code) };
    return { connected: false, message: "Not linked yet: the code was not used so far." };
  }

  async logout(params: MethodParams<"channels.logout">): Promise<MethodResult<"channels.logout">> {
    const service = this.find(params.channel);
    if (!service) throw new GatewayError("invalid", "invalid channels.logout channel");
    const runner = this.#account(service, params.accountId);
    if (!runner.entry.capabilities.login)
      throw new GatewayError("invalid", `channel ${service.row.id} does not support logout`);
    const { cleared, loggedOut } = await runner.logout();
    return { channel: service.row.id, accountId: runner.accountId, cleared, loggedOut };
  }

  #loginAccount(params: { channel?: string; accountId?: string }): AccountRunner {
    const service = this.find(params.channel ?? "whatsapp");
    if (!service?.entry) {
      if (service) throw this.notConfigured(service);
      throw new GatewayError("invalid", "web login provider is not available");
    }
    if (!service.entry.capabilities.login) throw new GatewayError("invalid", "web login provider is not available");
    return this.#account(service, params.accountId);
  }

  #account(service: ChannelService, accountId: string | undefined): AccountRunner {
    const id = accountId?.trim() || service.defaultAccountId();
    const runner = id === undefined ? undefined : service.runner(id);
    if (runner) return runner;
    if (id === undefined) throw this.notConfigured(service);
    const known = service.accounts().map((account) => account.accountId);
    throw new GatewayError(
      "invalid",
      `${service.row.label} has no account "${id.slice(0, 64)}" (there is: ${known.join(", ")}).`,
    );
  }

  #named(name: string): ChannelService {
    const service = this.find(name);
    if (!service) throw new GatewayError("invalid", `unknown channel: ${name.slice(0, 64)}`);
    return service;
  }

  async #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>();
    const timer = this.#world.after(ms, () => late.resolve(undefined));
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}

function shown(code: LoginCode) {
  if (code.kind === "code")
    return {
      message: `Type ${code.code} on the phone: Settings, Linked devices, Link with phone number.`,
      code: code.code,
      expiresAt: code.expiresAt,
    };
  return {
    message: "Scan the code with the phone: Settings, Linked devices, Link a device.",
    qrDataUrl: qrPng(code.text),
    qrText: code.text,
    qrTerminal: qrBlocks(code.text),
    expiresAt: code.expiresAt,
  };
}
