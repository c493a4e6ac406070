/** `/metrics` as text for Prometheus (http.md §15.1, R-HEALTH-2, settled.md 27): few series, no label from outside. */
import type { HttpRoute } from "../kernel/http.ts";

export interface Metric {
  /** Without the prefix `openclaw_`. */
  name: string;
  kind: "counter" | "gauge";
  help: string;
  values: readonly { labels?: Readonly<Record<string, string>>; value: number }[];
}

export const maxSeries = 100;

const escapedHelp = (text: string): string => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
const escapedLabel = (text: string): string => escapedHelp(text).replace(/"/g, '\\"');

/** Series beyond the hundredth are left out, and counted in the last one. */
export function metricsText(metrics: readonly Metric[]): string {
  const lines: string[] = [];
  let series = 0;
  let dropped = 0;
  for (const { name, kind, help, values } of metrics) {
    const kept = values.slice(0, Math.max(0, maxSeries - 1 - series));
    dropped += values.length - kept.length;
    if (kept.length === 0) continue;
    series += kept.length;
    lines.push(`# HELP openclaw_${name} ${escapedHelp(help)}`, `# TYPE openclaw_${name} ${kind}`);
    for (const { labels = {}, value } of kept) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapedLabel(text)}"`);
      lines.push(`openclaw_${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`);
    }
  }
  lines.push(
    "# HELP openclaw_prometheus_series_dropped_total Series left out because there were too many.",
    "# TYPE openclaw_prometheus_series_dropped_total counter",
    `openclaw_prometheus_series_dropped_total ${dropped}`,
  );
  return `${lines.join("\n")}\n`;
}

/** The routes. `token`: opens them beside the operator secret. */
export function metricsRoutes(parts: {
  enabled: () => boolean;
  token: () => string | undefined;
  metrics: () => readonly Metric[];
}): HttpRoute[] {
  const route = {
    methods: ["GET"],
    enabled: parts.enabled,
    auth: { operator: true, secret: parts.token },
    dialect: "text",
    maxBytes: 0,
    handle: () => ({
      bytes: Buffer.from(metricsText(parts.metrics())),
      type: "text/plain; version=0.0.4; charset=utf-8",
      headers: { "Cache-Control": "no-store" },
    }),
  } as const;
  return [
    { ...route, path: "/metrics" },
    { ...route, path: "/api/diagnostics/prometheus" },
  ];
}
