/** Asks a provider for its models with a key somebody typed: the cheapest request that needs one. */
import { catalogue } from "../features/models/index.ts";
import type { KeyVerdict } from "../features/setup/index.ts";
import type { World } from "../kernel/world.ts";

const timeoutMs = 3_000;

/** Only a clear no counts as one: without network, or behind a proxy that interferes, the verdict is `unknown`. Never throws. */
export async function checkKey(world: World, providerId: string, key: string): Promise<KeyVerdict> {
  const provider = catalogue.find(({ id }) => id === providerId);
  if (provider === undefined) return "unknown";
  const { api, baseUrl } = provider;
  const headers: Record<string, string> =
    api === "anthropic-messages"
      ? { "x-api-key": key, "anthropic-version": "2023-06-01" }
      : api === "google-generative-ai"
        ? { "x-goog-api-key": key }
        : { authorization: `Bearer ${key}` };
  // OpenRouter tells its models to everybody, but a key only about itself.
  const path = providerId === "openrouter" ? "/key" : api === "anthropic-messages" ? "/v1/models" : "/models";
  const controller = new AbortController();
  const timer = world.after(timeoutMs, () => controller.abort());
  try {
    const response = await world.fetch(baseUrl + path, { headers, redirect: "error", signal: controller.signal });
    await response.body?.cancel();
    if (response.ok) return "accepted";
    // Google says 400 to a key it does not know.
    const no = [401, 403, ...(providerId === "google" ? [400] : [])];
    return no.includes(response.status) ? "refused" : "unknown";
  } catch {
    // Offline, or too slow: nobody has to wait for this.
    return "unknown";
  } finally {
    timer.cancel();
  }
}
