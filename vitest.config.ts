import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that open whole gateways and browsers begin, so that the longest is not alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // What takes half a minute and more stands in front; a fresh checkout has no times of an earlier run.
    const groups = [
      /\/test\/e2e\/|\/channels\/(?:crash|both|whatsapp-faults)\.|\/onboard\./,
      /\/test\/integration\//,
      /./,
    ];
    return groups.flatMap((_, at) =>
      sorted.filter(({ moduleId }) => groups.findIndex((group) => group.test(moduleId)) === at),
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
