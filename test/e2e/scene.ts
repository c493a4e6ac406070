/** A gateway with something in it: a few sessions, a conversation with a tool call, a table, code and thinking. Used by
 *  screenshots, by the check for accessibility and wherever a page should not be empty. */
import { openScriptedGateway, type ScriptedGateway } from "../support/agent-gateway.ts";
import type { FakeRequest, Reply } from "../support/fake-provider/index.ts";
import type { Wire } from "../support/wire.ts";

export interface Scene {
  gateway: ScriptedGateway;
  wire: Wire;
  close(): Promise<void>;
}

const report = `The state directory is small; almost all of it is the database.

| Part | Size | Note |
| --- | ---: | --- |
| \`openclaw.db\` | 4.2 MB | sessions, outbox, devices |
| \`logs/\` | 612 KB | kept for 7 days |
| \`media/\` | 96 KB | two pictures |

Nothing needs to be done. If you want to look yourself:

\`\`\`bash
# largest first
du -ah ~/.openclaw | sort -rh | head -5
\`\`\`

I would keep the log level at **info**; \`debug\` writes about ten times as much.`;

const code = `A token bucket is enough here. It holds \`capacity\` tokens and refills at \`perSecond\`:

\`\`\`typescript
export class Bucket {
  #tokens: number;
  #at = performance.now();

  constructor(readonly capacity: number, readonly perSecond: number) {
    this.#tokens = capacity;
  }

  /** Whether one more call fits now. */
  take(): boolean {
    const now = performance.now();
    const refill = ((now - this.#at) / 1000) * this.perSecond;
    this.#tokens = Math.min(this.capacity, this.#tokens + refill);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
\`\`\`

Two things to decide:

1. Should a refused call **wait** or **fail**? The router above expects it to fail.
2. Is the limit per connection or per device? Devices are harder to multiply.`;

/** What the model of the scene says; the words of the last message choose. */
export function sceneReply(request: FakeRequest): Reply {
  const messages = request.body.messages as { role: string; content: unknown }[];
  const last = messages.at(-1);
  const text = JSON.stringify(last?.content ?? "");
  if (last?.role === "tool") return [report];
  if (text.includes("disk")) {
    return [
      "I will look at the state directory first.",
      {
        toolCall: {
          id: "call_1",
          name: "exec",
          arguments: { command: "printf '4.2M\\topenclaw.db\\n612K\\tlogs\\n96K\\tmedia\\n'" },
        },
      },
    ];
  }
  if (text.includes("limiter")) return [code];
  if (text.includes("stream")) return ["It is ", { delayMs: 60_000 }, "late."];
  return ["Certainly. ", "What should I begin with?"];
}

export async function openScene(): Promise<Scene> {
  const gateway = await openScriptedGateway({
    agentDefaults: { model: { primary: "mock/mock-1" } },
    config: { agents: { list: [{ id: "main", identity: { name: "Ada" } }] } },
  });
  gateway.script = sceneReply;
  const wire = await gateway.connect({ scopes: ["operator.admin"], max: 4 });
  const say = async (sessionKey: string, message: string, key: string) => {
    const ended = wire.event("chat", ({ runId, state }) => runId === key && state === "final");
    await wire.call("chat.send", { sessionKey, message, idempotencyKey: key });
    await ended;
  };
  await say("agent:main:planning", "Help me plan the move to the new office in March.", "scene-1");
  await wire.call("sessions.patch", { key: "agent:main:planning", label: "Office move" });
  await say("agent:main:garden", "When should I plant tomatoes outside?", "scene-2");
  await wire.call("sessions.patch", { key: "agent:main:garden", label: "Garden" });
  await say("agent:main:main", "Sketch a rate limiter in TypeScript for the webhook route.", "scene-3");
  await say("agent:main:main", "How much disk does the gateway use?", "scene-4");
  return {
    gateway,
    wire,
    async close() {
      await wire.close();
      await gateway.stop();
    },
  };
}
