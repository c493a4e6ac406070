import { defineConfig } from "vitest/config";

/** Units run in one process without isolation; everything that opens a gateway runs beside them in the same pool. */
export default defineConfig({
  resolve: { conditions: ["openclaw-source"] },
  ssr: { resolve: { conditions: ["openclaw-source"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "test/{fakes,integration,conformance,regression,house,fuzz,soak,e2e}/**/*.test.ts",
    ],
    pool: "threads",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 20_000,
    sequence: { shuffle: false },
  },
});
