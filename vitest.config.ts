import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const folders =
  "{core,stats,counting,analysis,control,contracts,schema,stores,http,html,workers,sdk,scripts}";

/** Three kinds: pure code in Node, stores and workers' parts on real bindings in workerd, the whole system through its public port. */
export default defineConfig({
  test: {
    // By default one core of two stays idle.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          testTimeout: 30_000,
          include: [`${folders}/**/*.test.ts`],
          setupFiles: ["test/fast-check-setup.ts"],
          exclude: ["**/*.worker.test.ts"],
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            miniflare: {
              compatibilityDate: "2026-11-01",
              kvNamespaces: ["CONFIG"],
              r2Buckets: ["ARCHIVE"],
              d1Databases: ["CONTROL", "METRICS_0", "METRICS_1"],
              queueProducers: { EVENTS_0: "events-0", EVENTS_1: "events-1" },
              ratelimits: {
                KEY_REQUESTS: { namespace_id: "1", simple: { limit: 3, period: 60 } },
              },
              bindings: {
                CONTROL_MIGRATIONS: await readD1Migrations("migrations/control"),
                METRICS_MIGRATIONS: await readD1Migrations("migrations/metrics"),
              },
            },
          })),
        ],
        test: {
          name: "worker",
          testTimeout: 30_000,
          include: [`${folders}/**/*.worker.test.ts`],
          setupFiles: ["test/worker-setup.ts"],
        },
      },
      {
        test: {
          name: "system",
          include: ["test/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
