import { expect, test } from "vitest";
import { maxSeries, metricsText, type Metric } from "./metrics.ts";

const gauge = (name: string, count: number): Metric => ({
  name,
  kind: "gauge",
  help: "A\nline \\ here",
  values: Array.from({ length: count }, (_, value) => ({ labels: { part: `p${value}"\n` }, value })),
});

test("names are prefixed, help and labels escaped", () => {
  const text = metricsText([gauge("things", 1)]);
  expect(text).toContain("# HELP openclaw_things A\\nline \\\\ here\n# TYPE openclaw_things gauge\n");
  expect(text).toContain('openclaw_things{part="p0\\"\\n"} 0\n');
  expect(text.endsWith("openclaw_prometheus_series_dropped_total 0\n")).toBe(true);
});

test("there are never more than a hundred series, and those left out are counted", () => {
  const text = metricsText([gauge("many", 90), gauge("more", 20), gauge("none", 3)]);
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(series).toHaveLength(maxSeries);
  expect(series.at(-1)).toBe("openclaw_prometheus_series_dropped_total 14");
  expect(text).not.toContain("openclaw_none");
});
