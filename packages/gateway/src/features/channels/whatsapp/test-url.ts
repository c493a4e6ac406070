/** The seam for tests (channels.md §8.2). */

/** Address of a server that plays WhatsApp; undefined outside tests. Two variables are needed, and no config key: TLS to the real
 *  host is what proves whom we talk to. */
export function testUrl(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env["OPENCLAW_TEST"] === "1" ? env["OPENCLAW_TEST_WHATSAPP_URL"] || undefined : undefined;
}
