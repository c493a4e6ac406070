/** Clients that leave at any instant: while they still send, before their turn, between tools, with the last byte (http.md §2.7). */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openScriptedGateway } from "../support/agent-gateway.ts";
import { user } from "./http-chat-rig.ts";

/** xorshift: the same instants every time, as far as a machine can keep them. */
function instants(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

test("whenever a client leaves, its run is neither running nor waiting, and nobody follows it", async () => {
  const gateway = await openScriptedGateway({
    config: {
      gateway: { http: { endpoints: { chatCompletions: { enabled: true }, responses: { enabled: true } } } },
      agents: { defaults: { skipBootstrap: true, model: { primary: "mock/mock-1" } } },
    },
  });
  try {
    gateway.script = async (request) => {
      await sleep(2);
      return request.raw.includes('"role":"tool"')
        ? ["after", " the", " tool"]
        : ["before", { toolCall: { id: "c", name: "session_status", arguments: {} } }];
    };
    const next = instants(20_261_121);
    const port = Number(new URL(gateway.httpUrl).port);
    const leave = (n: number) =>
      new Promise<void>((resolve) => {
        const responses = n % 2 === 0;
        const file = { type: "input_file", filename: "a.pdf", file_data: Buffer.from("%PDF-1.4\n").toString("base64") };
        const body = JSON.stringify({
          model: "openclaw",
          stream: n % 3 !== 0,
          ...(n % 4 === 0 ? { user: "queue" } : {}),
          ...(responses
            ? {
                input: [
                  { role: "user", content: [{ type: "input_text", text: "hi" }, ...(n % 10 === 0 ? [file] : [])] },
                ],
              }
            : { messages: [user("hi")] }),
        });
        const head = [
          `POST /v1/${responses ? "responses" : "chat/completions"} HTTP/1.1`,
          "Host: localhost",
          `Authorization: Bearer ${gateway.token}`,
          ...(n % 5 === 0 ? [`Idempotency-Key: key-${n}`] : []),
          `Content-Length: ${Buffer.byteLength(body)}`,
        ];
        const text = `${head.join("\r\n")}\r\n\r\n${body}`;
        const sent = next() < 0.2 ? Math.floor(next() * text.length) : text.length;
        const socket = connect(port, "127.0.0.1", () => socket.write(text.slice(0, sent)));
        const part = next();
        let heard = 0;
        // By bytes of the answer, or by time.
        socket.on("data", (bytes) => {
          heard += bytes.length;
          if (part < 0.4 && heard > part * 4_000) socket.destroy();
        });
        socket.on("error", () => {
          // It was left on purpose.
        });
        socket.once("close", () => resolve());
        setTimeout(() => socket.destroy(), next() * 60);
      });
    for (let n = 0; n < 160; n += 16) await Promise.all(Array.from({ length: 16 }, (_, i) => leave(n + i)));

    const left = async () => {
      const headers = { authorization: `Bearer ${gateway.token}` };
      const text = await (await fetch(`${gateway.httpUrl}/metrics`, { headers })).text();
      return text
        .split("\n")
        .filter((line) => /^openclaw_(?:runs_running|runs_waiting|api_requests_active|queue_lane_size) /.test(line));
    };
    await expect.poll(left, { timeout: 10_000, interval: 50 }).toSatisfy((lines: string[]) => {
      return lines.length === 4 && lines.every((line) => line.endsWith(" 0"));
    });
    gateway.script = () => ["ok"];
    const whole = await fetch(`${gateway.httpUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.token}` },
      body: JSON.stringify({ user: "queue", messages: [user("still there?")] }),
    });
    expect(whole.status).toBe(200);
    expect(gateway.log.filter((line) => line.startsWith("error"))).toEqual([]);
  } finally {
    await gateway.stop();
  }
});
