/** A gateway with something to look after: WhatsApp that waits for its code, Telegram with a good and a bad account and a
 *  stranger who wrote, a few sessions. */
import { startChild } from "../fakes/whatsapp/index.ts";
import { startFakeTelegram, type FakeTelegram } from "../fakes/telegram/index.ts";
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { Wire } from "../support/wire.ts";

export const stranger = { id: 77, first_name: "Ben" };

export interface ViewsScene {
  gateway: ScriptedGateway;
  wire: Wire;
  telegram: FakeTelegram;
  whatsapp: Awaited<ReturnType<typeof startChild>>;
  close(): Promise<void>;
}

/** `settings` are merged into the `gateway` section of its config. */
export async function openViewsScene(settings: Record<string, unknown> = {}): Promise<ViewsScene> {
  const whatsapp = await startChild({ preKeys: false });
  const telegram = await startFakeTelegram();
  const bad = "123456789:AAbadbadbadbadbadbadbadbadbadbadbad";
  const account = { apiRoot: telegram.url };
  const gateway = await openScriptedGateway({
    env: { OPENCLAW_TEST: "1", OPENCLAW_TEST_WHATSAPP_URL: whatsapp.url },
    config: {
      gateway: { trustedProxies: ["127.0.0.1"], ...settings },
      agents: {
        list: [
          { id: "main", identity: { name: "Ada" } },
          { id: "research", identity: { name: "Marie" } },
        ],
      },
      channels: {
        whatsapp: { dmPolicy: "pairing" },
        telegram: {
          dmPolicy: "pairing",
          accounts: { default: { ...account, botToken: telegram.bot.token }, work: { ...account, botToken: bad } },
        },
      },
    },
  });
  const wire = await gateway.connect({ scopes: ["operator.admin"], max: 4 });
  for (const [name, label] of [
    ["planning", "Office move"],
    ["garden", "Garden"],
    ["main", null],
  ] as const) {
    const key = `agent:main:${name}`;
    const ended = wire.event("chat", ({ runId, state }) => runId === name && state === "final");
    await wire.call("chat.send", { sessionKey: key, message: `About ${name}.`, idempotencyKey: name });
    await ended;
    if (label !== null) await wire.call("sessions.patch", { key, label });
  }
  return {
    gateway,
    wire,
    telegram,
    whatsapp,
    async close() {
      await wire.close();
      await gateway.stop();
      await telegram.close();
      await whatsapp.close();
    },
  };
}
