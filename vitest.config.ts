import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that open whole gateways and browsers begin, so that the longest is not alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return ["/test/e2e/", "/test/integration/", ""].flatMap((folder, i, folders) =>
      sorted.filter(({ moduleId }) => folders.findIndex((each) => moduleId.includes(each)) === i),
    );
  }
}

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
    // They wait more than they work: three keep two cores busy.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 20_000,
    sequence: { shuffle: false, sequencer: LongestFirst },
  },
});
