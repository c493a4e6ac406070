/** The HTTP surface where TLS ends at the port (http.md X20, §4.8). */
import { request, type RequestOptions } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type TestGateway } from "../support/gateway.ts";
import { RawSocket } from "./http-client.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await openGateway({
    config: {
      gateway: {
        tls: { enabled: true },
        http: {
          endpoints: { chatCompletions: { enabled: true } },
          securityHeaders: { strictTransportSecurity: "max-age=31536000" },
        },
      },
    },
  });
});
afterAll(() => gateway.stop());

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

function ask(path: string, options: RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { host: "127.0.0.1", port: gateway.port, path, rejectUnauthorized: false, ...options };
    const call = request(all, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    call.on("error", reject);
    call.end(body);
  });
}
const headers = () => ({ authorization: `Bearer ${gateway.token}`, "content-type": "application/json" });

test("X20: https answers, with the configured header, also streams; plain http on that port is refused", async () => {
  const models = await ask("/v1/models", { headers: headers() });
  expect([models.status, models.headers["strict-transport-security"]]).toEqual([200, "max-age=31536000"]);
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "hi" }] });
  const stream = await ask("/v1/chat/completions", { method: "POST", headers: headers() }, body);
  expect(stream.text).toContain("data: [DONE]");
  const plain = new RawSocket(gateway.port).write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await plain.ended;
  expect(plain.text).not.toContain("200 OK");
});

test("many connections that gave no secret do not use up the places of honest ones", async () => {
  for (let round = 0; round < 60; round++) expect((await ask("/v1/models", { agent: false })).status).toBe(401);
  expect((await ask("/v1/models", { headers: headers() })).status).toBe(200);
});
