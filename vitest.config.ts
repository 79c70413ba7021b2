import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "{core,stats,counting,analysis,control,contracts,schema,stores,http,workers,scripts}/**/*.test.ts",
          ],
          exclude: ["**/*.worker.test.ts"],
        },
      },
    ],
  },
});
